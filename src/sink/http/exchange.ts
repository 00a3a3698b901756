/** One request and its whole answer, or one clear error. */

import { once } from 'node:events'
import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders, request as httpRequest } from 'node:http'
import { userAgent } from '../../package-file.js'
import { traced } from '../wire-events.js'
import { connectionError } from './connection-error.js'
import { setRequestTimeouts } from './request-timeouts.js'
import type { ConnectingOptions } from './tunnel.js'

export type HttpRequest = {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers: OutgoingHttpHeaders
  /** Chunks that are not changed any more. */
  readonly body?: AsyncIterable<Uint8Array>
  readonly agent: Agent
  /** How long no byte may move in either direction; the end of an answer may take ten times as long. */
  readonly idleTimeoutMs: number
  /** More of an answer than this is not read. Default: 64 KiB. */
  readonly maxAnswerBytes?: number
  readonly signal: AbortSignal
}

export type HttpAnswer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** Its first `maxAnswerBytes`. */
  readonly text: string
}

const MAX_ANSWER_BYTES = 64 * 1024

/**
 * Sends a request and reads the answer, which may come before all of the body is sent. Redirects are not followed.
 * @throws {IngestError} `target_unreachable`, as an `AnswerLost` where the whole request was out; `target_misconfigured`
 * when the server's certificate is not trusted; whatever `body` throws and whatever the signal's reason is
 */
export function exchange(options: HttpRequest): Promise<HttpAnswer> {
  const { method, url } = options
  const where = `${method} ${url.origin}${url.pathname}`
  return traced(
    { operation: 'request', endpoint: where },
    () => carryOut(options),
    ({ status }) => status,
  )
}

async function carryOut(options: HttpRequest): Promise<HttpAnswer> {
  const { url, signal, body = nothing() } = options
  signal.throwIfAborted()
  const { outgoing, giveUp, reason } = await start(options)
  const answered = new AbortController()
  const abort = (): void => giveUp(signal.reason as Error)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  setRequestTimeouts(outgoing, options.idleTimeoutMs, giveUp)
  const upload = send(outgoing, body, answered.signal)
  // It is asked for below; until then a body that fails must not count as unhandled.
  upload.catch(() => undefined)
  try {
    const message = await responseTo(outgoing)
    answered.abort()
    const answer = await readAnswer(message, options.maxAnswerBytes ?? MAX_ANSWER_BYTES)
    // An answer without a length ends where the connection does, also when it is given up here.
    const givenUp = reason()
    if (givenUp !== undefined) throw givenUp
    return answer
  } catch (error) {
    const sent = outgoing.writableFinished
    outgoing.destroy()
    answered.abort()
    signal.throwIfAborted()
    // What the body has to say goes before what became of the connection.
    await upload
    // Of a connection that is given up within an answer Node only says that it ended.
    throw connectionError(reason() ?? error, { url, sent })
  } finally {
    answered.abort()
    signal.removeEventListener('abort', abort)
    await upload.catch(() => undefined)
    // Half a request cannot be followed by another one on the same connection.
    if (!outgoing.writableFinished) outgoing.destroy()
  }
}

type Attempt = {
  readonly outgoing: ClientRequest
  /** Ends it at every point, also while it has no connection. */
  readonly giveUp: (error: Error) => void
  /** Why it was given up, if it was. */
  readonly reason: () => Error | undefined
}

async function start({ url, method, headers, agent }: HttpRequest): Promise<Attempt> {
  const { request } = (await import(url.protocol === 'https:' ? 'node:https' : 'node:http')) as {
    request: typeof httpRequest
  }
  const givenUp = new AbortController()
  const named = { 'user-agent': userAgent(), ...headers }
  const connecting: ConnectingOptions = { method, headers: named, agent, givenUp: givenUp.signal }
  const outgoing = request(url, connecting)
  // Always listened to: an error that nobody hears ends the process.
  outgoing.on('error', () => undefined)
  let reason: Error | undefined
  const giveUp = (error: Error): void => {
    reason ??= error
    outgoing.destroy(error)
    givenUp.abort()
  }
  return { outgoing, giveUp, reason: () => reason }
}

/** @throws only what `body` throws: a lost connection shows in the answer, or in there being none */
async function send(outgoing: ClientRequest, body: AsyncIterable<Uint8Array>, answered: AbortSignal): Promise<void> {
  try {
    for await (const chunk of body) {
      if (outgoing.destroyed || answered.aborted) return
      if (!outgoing.write(chunk)) await untilDrained(outgoing, answered)
    }
    outgoing.end()
  } catch (error) {
    outgoing.destroy()
    throw error
  }
}

/** Until more may be written, or nothing more will ever be. */
async function untilDrained(outgoing: ClientRequest, answered: AbortSignal): Promise<void> {
  const done = new AbortController()
  const signal = AbortSignal.any([answered, done.signal])
  await Promise.race([once(outgoing, 'drain', { signal }), once(outgoing, 'close', { signal })]).catch(() => undefined)
  done.abort()
}

async function responseTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve)
    outgoing.once('error', reject)
    outgoing.once('close', () => reject(new Error('the connection was closed')))
  })
}

async function readAnswer(message: IncomingMessage, maxBytes: number): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= maxBytes) break
  }
  const text = Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8')
  return { status: message.statusCode ?? 0, headers: message.headers, text }
}

async function* nothing(): AsyncGenerator<never> {}
