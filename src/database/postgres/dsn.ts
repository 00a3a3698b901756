/** Parses a Postgres DSN. Settings that are unknown or would weaken the connection are rejected by name. */

import { isIP } from 'node:net'
import { isLoopback } from '../../http/address.js'
import {
  KEYWORDS,
  dsnError,
  withEnvironment,
  type DsnSetting,
  type DsnSettings,
  type Keyword,
  type PostgresEnvironment,
} from './dsn-settings.js'
import { parseKeywords, parseUrl } from './dsn-syntax.js'

export type Endpoint = {
  /** A DNS name, or an IP address without brackets. */
  readonly host: string
  readonly port: number
}

/** The settings for RDS login tokens. */
export type AwsSettings = {
  /** `--region`. Takes precedence over every other source, and requests a token for any host name. */
  readonly region?: string | undefined
  /** The process's `AWS_*` variables. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

export type PostgresAddress = Endpoint & {
  /** Further hosts, tried in order when the previous one is unreachable or read-only. */
  readonly others?: readonly Endpoint[]
  /** With several hosts, whether a read-only one may be used. */
  readonly attributes?: 'any' | 'read-write'
  /** Set for one of several hosts: another host may become the primary, and this one read-only. */
  readonly mayFailOver?: boolean
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

type DsnOptions = {
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

type Endpoints = readonly [Endpoint, ...Endpoint[]]

/**
 * Pairs hosts with ports. A single port applies to all hosts.
 * @throws {IngestError} `usage` for Unix sockets, empty or invalid host names, and ports out of range
 */
function parseEndpoints(settings: DsnSettings): Endpoints {
  const { value: list, label } = settings.get('host') ?? { value: '', label: 'host' }
  const hosts = list.split(',').map(text => parseHost(text, label))
  const { value: portList, label: portLabel } = settings.get('port') ?? { value: '', label: 'port' }
  const ports = portList.split(',').map(text => parsePort(text, portLabel))
  if (ports.length > 1 && ports.length !== hosts.length)
    throw dsnError(
      `${portLabel} names ${ports.length} ports for ${hosts.length} hosts`,
      'name one for all or one for each',
    )
  const endpoints = hosts.map((host, index) => ({ host, port: ports[index] ?? ports[0] ?? DEFAULT_PORT }))
  const [first, ...others] = endpoints
  if (first === undefined) throw NO_HOST()
  return [first, ...others]
}

const DEFAULT_PORT = 5432

const NO_HOST = (): Error =>
  dsnError('the Postgres DSN names no host', 'write postgres://USER@HOST:PORT/DATABASE, or set PGHOST to a host name')

function parseHost(text: string, label: string): string {
  const host = /^\[(.*)\]$/.exec(text)?.[1] ?? text
  if (host.startsWith('/') || host.startsWith('@')) {
    const from = label === 'PGHOST' ? 'PGHOST names a Unix socket, which' : 'a Unix socket'
    throw dsnError(`${from} is not accepted: it has no TLS`, 'name a host: postgres://USER@HOST:PORT/DATABASE')
  }
  if (host === '') throw NO_HOST()
  const readable = host === text && isIP(host) !== 6 ? /^[a-z0-9._-]+$/i.test(host) : isIP(host) === 6
  if (!readable || host.includes('%'))
    throw dsnError(`the host in ${label === 'PGHOST' ? label : 'the Postgres DSN'} is neither a name nor an IP address`)
  return host
}

function parsePort(text: string, label: string): number {
  const port = text === '' ? DEFAULT_PORT : /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65535) throw dsnError(`the ${label} of the Postgres DSN is not a number from 1 to 65535`)
  return port
}

const WEAK_MODES = ['allow', 'prefer', 'require', 'verify-ca', 'no-verify']
const READING_ATTRIBUTES = ['read-only', 'standby', 'prefer-standby']

type Tls = 'verify-full' | 'off'

/** The value of `sslrootcert` that stands for the bundled authorities of AWS RDS. */
export const RDS_AUTHORITIES = 'rds'

/** Decides whether to use TLS. @throws {IngestError} `usage` for settings that would connect without verification */
function parseTls(settings: DsnSettings, hosts: Endpoints, insecureLocal: boolean): Tls {
  const asked = parseMode(settings.get('sslmode'))
  // Naming an authority requests TLS, so `--insecure-local` alone does not turn it off.
  const named = asked ?? (settings.get('sslrootcert')?.value ? 'verify-full' : undefined)
  const tls = named ?? (insecureLocal ? 'off' : 'verify-full')
  const remote = hosts.find(({ host }) => !isLoopback(host))
  if (insecureLocal && remote !== undefined) {
    throw dsnError(
      `--insecure-local is for loopback addresses, not for ${remote.host}`,
      'leave it out: TLS is then verified',
    )
  }
  if (tls === 'off' && !insecureLocal) {
    const label = settings.get('sslmode')?.label ?? 'sslmode'
    throw dsnError(`${label}=disable is refused: the connection must be verified`, modeHint(label))
  }
  return tls
}

function parseMode(setting: DsnSetting | undefined): Tls | undefined {
  if (setting === undefined) return undefined
  const { value, label } = setting
  if (value === 'verify-full') return value
  if (value === 'disable') return 'off'
  if (WEAK_MODES.includes(value))
    throw dsnError(`${label}=${value} is refused: the connection must be verified`, modeHint(label))
  throw dsnError(`this ${label} is not known`, modeHint(label))
}

function modeHint(label: string): string {
  return label === 'PGSSLMODE'
    ? 'unset PGSSLMODE, or write sslmode=verify-full in the DSN, which wins'
    : 'write sslmode=verify-full or leave it out'
}

/** The file of authorities to trust. RDS hosts default to RDS's own authorities, because no system trusts them. */
function parseAuthorities(settings: DsnSettings, hosts: Endpoints): string | undefined {
  const named = settings.get('sslrootcert')?.value
  // In libpq `system` stands for the system's authorities.
  if (named === 'system') return undefined
  if (named) return named
  return hosts.every(({ host }) => isRdsHost(host)) ? RDS_AUTHORITIES : undefined
}

/** Whether a host name is the AWS name of an RDS instance, cluster or proxy. */
export function isRdsHost(host: string): boolean {
  return /\.rds\.amazonaws\.com(\.cn)?$/i.test(host)
}

function parseTimeout(setting: DsnSetting | undefined): number | undefined {
  if (setting === undefined || setting.value === '') return undefined
  if (!/^[1-9]\d{0,3}$/.test(setting.value))
    throw dsnError(`${setting.label} is not a number of seconds from 1 to 9999`)
  return Number(setting.value) * 1000
}

/** Parses `target_session_attrs`. By default only servers that accept writes are used; `any` also allows read-only servers. */
function parseAttributes(setting: DsnSetting | undefined): 'any' | 'read-write' {
  const { value = '', label = '' } = setting ?? {}
  if (value === '' || value === 'read-write' || value === 'primary') return 'read-write'
  if (value === 'any') return value
  const known = READING_ATTRIBUTES.includes(value)
    ? `${label}=${value} is refused: records are written`
    : `this ${label} is not known`
  throw dsnError(known, 'write target_session_attrs=read-write or leave it out')
}
