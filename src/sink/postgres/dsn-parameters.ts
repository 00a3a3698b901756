/** Reads what follows the `?` of a Postgres URL: four parameters are known, all others are refused by name. */
import { decode, refused } from './dsn-text.js'

export type DsnParameters = {
  /** What `sslmode` and `sslrootcert` ask for; undefined when they are absent. */
  readonly tls: 'verify-full' | 'off' | undefined
  readonly sslrootcert?: string
  readonly applicationName: string
  readonly connectTimeoutMs?: number
}

const KNOWN = ['sslmode', 'sslrootcert', 'application_name', 'connect_timeout'] as const
const WEAK_MODES = ['allow', 'prefer', 'require', 'verify-ca', 'no-verify']
const MODE_HINT = 'write sslmode=verify-full or leave it out'

type Name = (typeof KNOWN)[number]

/** @throws {IngestError} `usage`, naming the parameter */
export function parseParameters(query: string): DsnParameters {
  const given = collect(query)
  const sslrootcert = given.get('sslrootcert')
  const seconds = given.get('connect_timeout')
  return {
    // Naming an authority asks for TLS, so that `--insecure-local` alone does not turn it off.
    tls: parseMode(given.get('sslmode')) ?? (sslrootcert ? 'verify-full' : undefined),
    applicationName: given.get('application_name') || 'vortex-ingest',
    // libpq's word for the system's authorities, which are what one gets without the parameter.
    ...(sslrootcert && sslrootcert !== 'system' && { sslrootcert }),
    ...(seconds && { connectTimeoutMs: parseTimeout(seconds) }),
  }
}

function collect(query: string): ReadonlyMap<Name, string> {
  const given = new Map<Name, string>()
  for (const pair of query.split('&').filter(Boolean)) {
    const equals = pair.indexOf('=')
    const name = parseName(equals < 0 ? pair : pair.slice(0, equals))
    if (given.has(name)) throw refused(`the Postgres URL gives ${name} twice`)
    given.set(name, equals < 0 ? '' : decode(pair.slice(equals + 1), name))
  }
  return given
}

function parseName(text: string): Name {
  const known = KNOWN.find(name => name === text)
  if (known) return known
  if (text === 'host') {
    throw refused('the parameter host in the Postgres URL is refused', 'name the host after the @; no Unix socket')
  }
  const shown = /^\w{1,40}$/.test(text) ? `the parameter ${text}` : 'a parameter'
  throw refused(`${shown} in the Postgres URL is not known`, `known are ${KNOWN.join(', ')}`)
}

function parseMode(mode: string | undefined): DsnParameters['tls'] {
  if (mode === undefined || mode === 'verify-full') return mode
  if (mode === 'disable') return 'off'
  if (WEAK_MODES.includes(mode)) {
    throw refused(`sslmode=${mode} is refused: the connection must be verified`, MODE_HINT)
  }
  throw refused(`this sslmode in the Postgres URL is not known`, MODE_HINT)
}

function parseTimeout(seconds: string): number {
  if (!/^[1-9]\d{0,3}$/.test(seconds)) throw refused('connect_timeout is not a number of seconds from 1 to 9999')
  return Number(seconds) * 1000
}
