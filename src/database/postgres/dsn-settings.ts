/** The libpq settings that this program supports, with the `PG*` variables that provide missing ones. */

import { IngestError } from '../../errors.js'

/** The environment variable of every supported keyword. */
export const KEYWORDS = {
  host: 'PGHOST',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  application_name: 'PGAPPNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
} as const

export type Keyword = keyof typeof KEYWORDS

/** The process's `PG*` variables. The caller passes them in. */
export type PostgresEnvironment = Readonly<Record<string, string | undefined>>

/** A value and its label for messages: the keyword, or the variable that provided the value. */
export type DsnSetting = { readonly value: string; readonly label: string }

export type DsnSettings = ReadonlyMap<Keyword, DsnSetting>

/** Unsupported variables that would make libpq connect to a different server. */
const UNSUPPORTED = { PGSERVICE: 'a service file', PGHOSTADDR: 'an address beside the name' }

export function findKeyword(text: string): Keyword | undefined {
  return (Object.keys(KEYWORDS) as Keyword[]).find(keyword => keyword === text)
}

/**
 * The error for an unknown keyword. It repeats the keyword only if it looks like one, because it could be a misplaced password.
 */
export function unknownKeyword(text: string, where: string, known: readonly string[] = Object.keys(KEYWORDS)): Error {
  const shown = /^\w{1,40}$/.test(text) ? `the parameter ${text}` : 'a parameter'
  return dsnError(`${shown} in the Postgres ${where} is not known`, `known are ${known.join(', ')}`)
}

/**
 * Adds settings from the environment that the DSN does not give, like libpq. Empty variables are ignored.
 * @throws {IngestError} `usage`, naming the variable, for unsupported variables and control characters
 */
export function withEnvironment(given: DsnSettings, environment: PostgresEnvironment): DsnSettings {
  if (!given.has('host')) refuseUnsupported(environment)
  const settings = new Map(given)
  for (const [keyword, variable] of Object.entries(KEYWORDS) as [Keyword, string][]) {
    const value = environment[variable]
    if (settings.has(keyword) || value === undefined || value === '') continue
    if (hasControlCharacter(value)) throw dsnError(`${variable} holds a control character`)
    settings.set(keyword, { value, label: variable })
  }
  return settings
}

function refuseUnsupported(environment: PostgresEnvironment): void {
  for (const [variable, what] of Object.entries(UNSUPPORTED)) {
    if (environment[variable])
      throw dsnError(`${variable} (${what}) is not supported`, `unset it, or name the host in the DSN, which wins`)
  }
}

/** The error for an invalid DSN. @param message must not repeat a part of the DSN that could be a password */
export function dsnError(message: string, hint?: string): IngestError {
  return new IngestError('usage', message, hint === undefined ? {} : { hint })
}

export function hasControlCharacter(text: string): boolean {
  return [...text].some(character => character < ' ' || character === '\u007f')
}
