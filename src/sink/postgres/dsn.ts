/** Reads a Postgres URL strictly: whatever would weaken the connection, or is not understood, is refused by name. */
import { BlockList, isIP } from 'node:net'
import { parseParameters } from './dsn-parameters.js'
import { decode, hasControlCharacter, refused } from './dsn-text.js'

export type PostgresAddress = {
  /** A DNS name, or an IP address without brackets. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password?: string
  /** A PEM file with the authorities to trust instead of the system's. */
  readonly sslrootcert?: string
  readonly tls: 'verify-full' | 'off'
  readonly applicationName: string
  readonly connectTimeoutMs?: number
}

export type DsnOptions = {
  /** Allows a connection without TLS, to a loopback address only. */
  readonly insecureLocal: boolean
}

const FORM = 'postgres://USER@HOST:PORT/DATABASE'
const URL_FORM =
  /^postgres(?:ql)?:\/\/(?:(?<login>[^@/?#]*)@)?(?<server>[^@/?#]*)(?:\/(?<path>[^@/?#]*))?(?:\?(?<query>[^@#]*))?$/i

/**
 * Reads a `postgres://` or `postgresql://` URL. No message repeats the URL: it may hold a password anywhere.
 * @throws {IngestError} `usage`
 * @see contract section 4
 */
export function parseDsn(text: string, options: DsnOptions): PostgresAddress {
  const { login, server, path, query } = splitUrl(text.trim())
  const { host, port } = parseServer(server)
  const { user, password } = parseLogin(login)
  const { tls: asked, ...parameters } = parseParameters(query)
  const tls = options.insecureLocal ? (asked ?? 'off') : (asked ?? 'verify-full')
  checkTls({ host, tls, insecureLocal: options.insecureLocal })
  return { host, port, database: parseDatabase(path), user, ...(password && { password }), ...parameters, tls }
}

/** The address as a URL without the password, for messages. */
export function describeAddress({ user, host, port, database }: PostgresAddress): string {
  const server = host.includes(':') ? `[${host}]` : host
  return `postgres://${encodeURIComponent(user)}@${server}:${port}/${encodeURIComponent(database)}`
}

function splitUrl(text: string): Record<'login' | 'server' | 'path' | 'query', string> {
  if (/^[a-z_]+\s*=/i.test(text)) {
    throw refused('a Postgres keyword string (host=… dbname=…) is not supported', `write it as a URL: ${FORM}`)
  }
  if (!/^postgres(ql)?:\/\//i.test(text)) {
    throw refused('a Postgres URL starts with postgres:// or postgresql://', `the form is ${FORM}`)
  }
  const parts = URL_FORM.exec(text)?.groups
  if (!parts || hasControlCharacter(text) || text.includes(' ')) {
    throw refused(
      'the Postgres URL cannot be read',
      'write @ : / ? # % and spaces in user and password percent-encoded: %40 %3A %2F %3F %23 %25 %20',
    )
  }
  const { login = '', server = '', path = '', query = '' } = parts
  return { login, server, path, query }
}

function parseServer(server: string): { host: string; port: number } {
  if (server.includes(',')) throw refused('the Postgres URL names several hosts', 'name one')
  const [, bracketed, plain = '', portText = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(server) ?? []
  const host = bracketed ?? decode(plain, 'host')
  if (host.startsWith('/') || host.startsWith('@')) {
    throw refused('a Unix socket is not accepted: it has no TLS', `name a host: ${FORM}`)
  }
  if (host === '') throw refused('the Postgres URL names no host', `the form is ${FORM}; PGHOST is not used`)
  const readable = bracketed === undefined ? /^[a-z0-9._-]+$/i.test(host) : isIP(host) === 6 && !host.includes('%')
  if (!readable) throw refused('the host in the Postgres URL is neither a name nor an IP address')
  return { host, port: parsePort(portText) }
}

function parsePort(text: string): number {
  const port = text === '' ? 5432 : /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65535) throw refused('the port in the Postgres URL is not a number from 1 to 65535')
  return port
}

function parseLogin(login: string): { user: string; password: string } {
  const colon = login.indexOf(':')
  const user = decode(colon < 0 ? login : login.slice(0, colon), 'user')
  if (user === '') throw refused('the Postgres URL names no user', `the form is ${FORM}; PGUSER is not used`)
  return { user, password: colon < 0 ? '' : decode(login.slice(colon + 1), 'password') }
}

function parseDatabase(path: string): string {
  const database = decode(path, 'database')
  if (database === '') throw refused('the Postgres URL names no database', `the form is ${FORM}`)
  return database
}

function checkTls({
  host,
  tls,
  insecureLocal,
}: {
  host: string
  tls: PostgresAddress['tls']
  insecureLocal: boolean
}): void {
  if (insecureLocal && !isLoopback(host)) {
    throw refused(`--insecure-local is for loopback addresses, not for ${host}`, 'leave it out: TLS is then verified')
  }
  if (tls === 'off' && !insecureLocal) {
    throw refused('sslmode=disable is refused: the connection must be verified', 'write sslmode=verify-full or nothing')
  }
}

function isLoopback(host: string): boolean {
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  const version = isIP(host)
  return version === 0 ? host.toLowerCase() === 'localhost' : loopback.check(host, version === 4 ? 'ipv4' : 'ipv6')
}
