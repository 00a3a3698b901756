/** libpq's settings that this program knows, by their keywords, and the `PG*` variables that stand in for absent ones. */
import { hasControlCharacter, dsnError } from './dsn-text.js'

/** Keyword and variable of every setting. */
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

/** The process's `PG*` variables, handed down by whoever may read them. */
export type PostgresEnvironment = Readonly<Record<string, string | undefined>>

/** A value and what to call it in a message: the keyword, or the variable it came from. */
export type DsnSetting = { readonly value: string; readonly label: string }

export type DsnSettings = ReadonlyMap<Keyword, DsnSetting>

/** Variables that would lead libpq to another server than the ones above say. */
const UNSUPPORTED = { PGSERVICE: 'a service file', PGHOSTADDR: 'an address beside the name' }

export function findKeyword(text: string): Keyword | undefined {
  return (Object.keys(KEYWORDS) as Keyword[]).find(keyword => keyword === text)
}

/** The error for a keyword that is not accepted, which is named unless it could be something else in the wrong place. */
export function unknownKeyword(text: string, where: string, known: readonly string[] = Object.keys(KEYWORDS)): Error {
  const shown = /^\w{1,40}$/.test(text) ? `the parameter ${text}` : 'a parameter'
  return dsnError(`${shown} in the Postgres ${where} is not known`, `known are ${known.join(', ')}`)
}

/**
 * What the DSN leaves out is taken from the environment, as libpq does; what it names wins. An empty variable is none.
 * @throws {IngestError} `usage`, naming the variable
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
