/** Checks of names and clocks, and connections on which a server expects a TLS handshake. */

import { once } from 'node:events'
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { connect, type Socket, isIP } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { IngestError, messageOf, systemCodeOf } from '../errors.js'
import type { Endpoint } from '../database/postgres/dsn.js'
import { lookup } from 'node:dns/promises'
import { ok, type Check, warn, type Finding } from './finding.js'

/**
 * Connects to a host. Aborting the signal closes the socket.
 * @throws system errors, or the signal's reason
 */
export async function reach({ host, port }: Endpoint, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port })
  dropWith(signal, socket)
  await once(socket, 'connect', { signal })
  return socket
}

export type Tunnel = Endpoint & {
  readonly proxy: URL
  /** Trusted authorities for the connection to a proxy that uses TLS. */
  readonly trust: SecureContextOptions
}

/**
 * Connects through an HTTP proxy with CONNECT.
 * @throws {IngestError} `target_unreachable` when the proxy refuses; system errors
 */
export async function reachThrough({ proxy, host, port, trust }: Tunnel, signal: AbortSignal): Promise<Socket> {
  const { request } = (await import(proxy.protocol === 'https:' ? 'node:https' : 'node:http')) as {
    request: (options: RequestOptions & SecureContextOptions) => ClientRequest
  }
  const name = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const outgoing = request({
    ...trust,
    ...{ method: 'CONNECT', host: proxy.hostname.replace(/^\[|\]$/g, ''), path: name, agent: false },
    ...(proxy.port !== '' && { port: proxy.port }),
    headers: { host: name, ...authorization(proxy) },
  })
  outgoing.end()
  const [answer, socket] = await tunnel(outgoing, signal)
  dropWith(signal, socket)
  if (answer.statusCode === 200) return socket
  socket.destroy()
  throw new IngestError('target_unreachable', `the proxy answered ${answer.statusCode}`)
}

async function tunnel(outgoing: ClientRequest, signal: AbortSignal): Promise<[IncomingMessage, Socket]> {
  try {
    return (await once(outgoing, 'connect', { signal })) as [IncomingMessage, Socket]
  } catch (error) {
    // Later errors of the request are ignored.
    outgoing.on('error', () => undefined).destroy()
    throw error
  }
}

function authorization({ username, password }: URL): object {
  if (username === '' && password === '') return {}
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` }
}

/** The SSLRequest message of the Postgres protocol: its length and code. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])

/**
 * Connects to Postgres and requests TLS.
 * @throws {IngestError} `target_misconfigured` when the server has no TLS or is not Postgres; system errors
 */
export async function reachPostgres(endpoint: Endpoint, signal: AbortSignal): Promise<Socket> {
  const socket = await reach(endpoint, signal)
  socket.write(SSL_REQUEST)
  const answer = await firstData(socket, signal)
  // Paused until the TLS handshake reads from the socket.
  socket.pause()
  if (answer.toString('latin1') === 'S') return socket
  socket.destroy()
  if (answer.toString('latin1') === 'N') {
    const hint = 'turn on `ssl` in the server; only a loopback address may go without (--insecure-local)'
    throw new IngestError('target_misconfigured', 'the server has no TLS', { hint })
  }
  throw new IngestError('target_misconfigured', 'the server is not Postgres', { hint: 'check host and port' })
}

async function firstData(socket: Socket, signal: AbortSignal): Promise<Buffer> {
  const closed = once(socket, 'close', { signal }).then(() => {
    throw new IngestError('target_unreachable', 'the connection was closed without an answer')
  })
  const [data] = (await Promise.race([once(socket, 'data', { signal }), closed])) as [Buffer]
  return data
}

function dropWith(signal: AbortSignal, socket: Socket): void {
  const drop = (): void => void socket.destroy()
  // Without an error listener the process would end. The code that waits for the socket has its own.
  socket.on('error', drop)
  signal.addEventListener('abort', drop, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', drop))
}

const SHOWN = 4

/**
 * A check that resolves a host.
 * @param host a name or an address, with or without brackets
 */
export function namesCheck(host: string): Check {
  const name = host.replace(/^\[|\]$/g, '')
  return { name: 'dns', timeoutMs: 5_000, run: async () => [ok(await resolved(name))] }
}

/** Resolves a name as a connection does, including hosts files. */
async function resolved(name: string): Promise<string> {
  if (isIP(name) !== 0) return `${name} is an address, there is nothing to look up`
  try {
    const addresses = (await lookup(name, { all: true })).map(({ address }) => address)
    const more = addresses.length > SHOWN ? ` and ${addresses.length - SHOWN} more` : ''
    return `${name} is ${addresses.slice(0, SHOWN).join(', ')}${more}`
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOTFOUND')
      throw new IngestError('target_unreachable', `there is no host ${name}`, { cause, hint: 'check the name' })
    const hint = 'check the network and its name servers'
    throw new IngestError('target_unreachable', `${name} could not be looked up: ${messageOf(cause)}`, { cause, hint })
  }
}

/**
 * Differences from here on cause a warning. RDS tokens tolerate a few minutes, and commits and runs are ordered by
 * time.
 */
const MUCH_MS = 30_000

/** The other clock's time, and this clock's time before and after reading it. All in milliseconds since 1970. */
export type ClockReading = { readonly there: number; readonly asked: number; readonly answered: number }

/**
 * Reports the difference between the clocks.
 * @param stepMs resolution of the other clock in milliseconds
 */
export function clockFinding({ there, asked, answered }: ClockReading, stepMs: number): Finding {
  // The other clock was read between `asked` and `answered`, and its time is rounded down to its resolution.
  const aheadMs = Math.max(0, there - answered)
  const behindMs = Math.max(0, asked - there - stepMs)
  const skewMs = aheadMs > 0 ? aheadMs : behindMs
  if (skewMs < 1000) return ok('this clock and the one there agree to the second')
  const fact = `this clock is ${Math.round(skewMs / 1000)} s ${aheadMs > 0 ? 'behind' : 'ahead of'} the one there`
  return skewMs < MUCH_MS
    ? ok(fact)
    : warn(fact, 'let one of them be set by NTP: tokens and certificates carry the time')
}
