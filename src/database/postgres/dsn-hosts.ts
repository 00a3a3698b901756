/** Parses the lists of hosts and ports of a Postgres DSN. */
import { isIP } from 'node:net'
import type { DsnSettings } from './dsn-settings.js'
import { dsnError } from './dsn-text.js'

export type Endpoint = {
  /** A DNS name, or an IP address without brackets. */
  readonly host: string
  readonly port: number
}

export type Endpoints = readonly [Endpoint, ...Endpoint[]]

/**
 * Pairs hosts with ports. A single port applies to all hosts.
 * @throws {IngestError} `usage` for Unix sockets, empty or invalid host names, and ports out of range
 */
export function parseEndpoints(settings: DsnSettings): Endpoints {
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
