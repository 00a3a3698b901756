/** Parses a Postgres DSN. Settings that are unknown or would weaken the connection are rejected by name. */
import type { AwsSettings } from './aws-settings.js'
import { parseEndpoints, type Endpoint } from './dsn-hosts.js'
import { parseKeywords } from './dsn-keywords.js'
import { parseAttributes, parseAuthorities, parseTimeout, parseTls, type Tls } from './dsn-parameters.js'
import { KEYWORDS, withEnvironment, type Keyword, type PostgresEnvironment, type DsnSettings } from './dsn-settings.js'
import { dsnError } from './dsn-text.js'
import { parseUrl } from './dsn-url.js'

export type PostgresAddress = Endpoint & {
  /** Further hosts, tried in order when the previous one is unreachable or read-only. */
  readonly others?: readonly Endpoint[]
  /** With several hosts, whether a read-only one may be used. */
  readonly attributes?: 'any' | 'read-write'
  readonly database: string
  readonly user: string
  readonly password?: string
  /** A password file in libpq's format. */
  readonly passfile?: string
  /** A PEM file of the authorities to trust instead of the system's, or `rds` for the bundled authorities of AWS RDS. */
  readonly sslrootcert?: string
  readonly tls: Tls
  readonly applicationName: string
  readonly connectTimeoutMs?: number
  /** Settings for a login token, which is created if there is no password. */
  readonly aws?: AwsSettings
}

export type DsnOptions = {
  /** Allows a connection without TLS to a loopback address. */
  readonly insecureLocal: boolean
  /** The `PG*` variables. The DSN takes precedence. Default: none. */
  readonly environment?: PostgresEnvironment
  readonly aws?: AwsSettings
}

/**
 * Parses a `postgres://` or `postgresql://` URL, or a libpq keyword string. With an empty text all settings come from the
 * environment. No message repeats the DSN, because it may contain a password anywhere.
 * @throws {IngestError} `usage`
 * @see contract section 4
 */
export function parseDsn(text: string, { insecureLocal, environment = {}, aws }: DsnOptions): PostgresAddress {
  const settings = dsnSettings(text, environment)
  const hosts = parseEndpoints(settings)
  const [first, ...others] = hosts
  const [password, passfile] = [settings.get('password')?.value, settings.get('passfile')?.value]
  const sslrootcert = parseAuthorities(settings, hosts)
  const connectTimeoutMs = parseTimeout(settings.get('connect_timeout'))
  const attributes = parseAttributes(settings.get('target_session_attrs'))
  return {
    ...first,
    ...(others.length > 0 && { others, attributes }),
    database: requireSetting(settings, 'dbname', 'database'),
    user: requireSetting(settings, 'user', 'user'),
    ...(password && { password }),
    ...(passfile && { passfile }),
    ...(sslrootcert && { sslrootcert }),
    tls: parseTls(settings, hosts, insecureLocal),
    applicationName: settings.get('application_name')?.value || 'vortex-ingest',
    ...(connectTimeoutMs && { connectTimeoutMs }),
    ...(aws && { aws }),
  }
}

/** The settings from the DSN and the environment, each with its origin. @throws {IngestError} `usage` */
export function dsnSettings(text: string, environment: PostgresEnvironment): DsnSettings {
  return withEnvironment(parseText(text), environment)
}

/** The address as a URL without the password, for messages. */
export function describeAddress(address: PostgresAddress): string {
  return postgresId(address).replace('//', `//${encodeURIComponent(address.user)}@`)
}

/** The target id of a database: its URL without user and password. */
export function postgresId({ host, port, others = [], database }: PostgresAddress): string {
  const servers = [{ host, port }, ...others].map(describeEndpoint)
  return `postgres://${servers.join(',')}/${encodeURIComponent(database)}`
}

export function describeEndpoint({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function parseText(text: string): DsnSettings {
  if (text.trim() === '') return new Map()
  return /^\s*\w+\s*=/.test(text) ? parseKeywords(text) : parseUrl(text)
}

function requireSetting(settings: DsnSettings, keyword: Keyword, name: string): string {
  const value = settings.get(keyword)?.value
  if (value) return value
  const hint = `write postgres://USER@HOST:PORT/DATABASE, or set ${KEYWORDS[keyword]}`
  throw dsnError(`the Postgres DSN names no ${name}`, hint)
}
