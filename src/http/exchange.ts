/** Sends one HTTP request and returns its complete answer or throws one clear error. */

import { once } from 'node:events'
import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders, request as httpRequest } from 'node:http'
import { userAgent } from '../package-file.js'
import { traced } from './wire-events.js'
import { connectionError } from './connection-error.js'
import type { ConnectingOptions } from './tunnel.js'

export type HttpRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers: OutgoingHttpHeaders
  /** Chunks of the body. They must not be modified after they are yielded. */
  readonly body?: AsyncIterable<Uint8Array>
  readonly agent: Agent
  /** Maximum time without any byte in either direction. The complete answer may take ten times as long. */
  readonly idleTimeoutMs: number
  /** Answers are truncated to this size. Default: 64 KiB. */
  readonly maxAnswerBytes?: number
  readonly signal: AbortSignal
}

export type HttpAnswer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** The first `maxAnswerBytes` of the body, decoded as UTF-8. */
  readonly text: string
}

const MAX_ANSWER_BYTES = 64 * 1024

/**
 * Sends a request and reads the answer, which may arrive before the whole body is sent. Does not follow redirects.
 * @throws {IngestError} `target_unreachable`, as an `AnswerLost` if the whole request was sent; `target_misconfigured` when the
 * server's certificate is not trusted. Errors of `body` and the signal's reason are thrown unchanged
 */
export function exchange(options: HttpRequest): Promise<HttpAnswer> {
  const { method, url } = options
  const endpoint = `${method} ${url.origin}${url.pathname}`
  return traced(
    { operation: 'request', endpoint },
    () => sendAndReceive(options),
    ({ status }) => status,
  )
}

async function sendAndReceive(options: HttpRequest): Promise<HttpAnswer> {
  const { url, signal, body = emptyBody() } = options
  signal.throwIfAborted()
  const { outgoing, cancel, reason } = await startRequest(options)
  const answered = new AbortController()
  const abort = (): void => cancel(signal.reason as Error)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  setRequestTimeouts(outgoing, options.idleTimeoutMs, cancel)
  const upload = sendBody(outgoing, body, answered.signal)
  // The upload is awaited below. Until then its failure must not count as an unhandled rejection.
  upload.catch(() => undefined)
  try {
    const message = await waitForResponse(outgoing)
    answered.abort()
    const answer = await readAnswer(message, options.maxAnswerBytes ?? MAX_ANSWER_BYTES)
    // An answer without a length ends with the connection, even if a timeout closed it. It would look complete.
    const cancelled = reason()
    if (cancelled !== undefined) throw cancelled
    return answer
  } catch (error) {
    const sent = outgoing.writableFinished
    outgoing.destroy()
    answered.abort()
    signal.throwIfAborted()
    // An error of the body takes precedence over the connection's error.
    await upload
    // For a connection that was closed during an answer, Node only reports that it ended. The reason is more useful.
    throw connectionError(reason() ?? error, { url, sent })
  } finally {
    answered.abort()
    signal.removeEventListener('abort', abort)
    await upload.catch(() => undefined)
    // A connection with a partly sent request cannot be reused.
    if (!outgoing.writableFinished) outgoing.destroy()
  }
}

type RunningRequest = {
  readonly outgoing: ClientRequest
  /** Aborts the request at any point, also while it waits for a connection. */
  readonly cancel: (error: Error) => void
  /** The error that the request was aborted with; undefined if it was not aborted. */
  readonly reason: () => Error | undefined
}

async function startRequest({ url, method, headers, agent }: HttpRequest): Promise<RunningRequest> {
  const { request } = (await import(url.protocol === 'https:' ? 'node:https' : 'node:http')) as {
    request: typeof httpRequest
  }
  const cancelled = new AbortController()
  const named = { 'user-agent': userAgent(), ...headers }
  const connecting: ConnectingOptions = { method, headers: named, agent, cancelled: cancelled.signal }
  const outgoing = request(url, connecting)
  // An error event without a listener would end the process.
  outgoing.on('error', () => undefined)
  let reason: Error | undefined
  const cancel = (error: Error): void => {
    reason ??= error
    outgoing.destroy(error)
    cancelled.abort()
  }
  return { outgoing, cancel, reason: () => reason }
}

/** Sends the body. Throws only errors of `body`. A lost connection is reported by `waitForResponse` or `readAnswer`. */
async function sendBody(
  outgoing: ClientRequest,
  body: AsyncIterable<Uint8Array>,
  answered: AbortSignal,
): Promise<void> {
  try {
    for await (const chunk of body) {
      if (outgoing.destroyed || answered.aborted) return
      if (!outgoing.write(chunk)) await waitForDrain(outgoing, answered)
    }
    outgoing.end()
  } catch (error) {
    outgoing.destroy()
    throw error
  }
}

/** Waits until more can be written, the request is closed, or the server has answered. */
async function waitForDrain(outgoing: ClientRequest, answered: AbortSignal): Promise<void> {
  const done = new AbortController()
  const signal = AbortSignal.any([answered, done.signal])
  await Promise.race([once(outgoing, 'drain', { signal }), once(outgoing, 'close', { signal })]).catch(() => undefined)
  done.abort()
}

async function waitForResponse(outgoing: ClientRequest): Promise<IncomingMessage> {
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

async function* emptyBody(): AsyncGenerator<never> {}

const CONNECT_TIMEOUT_MS = 15_000

/** The complete answer may take this many idle timeouts, because a server that sends a byte now and then is never idle. */
const IDLE_TIMEOUTS_PER_ANSWER = 10

function setRequestTimeouts(outgoing: ClientRequest, idleTimeoutMs: number, cancel: (error: Error) => void): void {
  outgoing.setTimeout(idleTimeoutMs, () => cancel(new Error(`no answer for ${idleTimeoutMs / 1000} s`)))
  limitConnecting(outgoing, Math.min(CONNECT_TIMEOUT_MS, idleTimeoutMs), cancel)
  limitAnswer(outgoing, idleTimeoutMs * IDLE_TIMEOUTS_PER_ANSWER, cancel)
}

/** Limits the time until the connection is established, also through a proxy. */
function limitConnecting(outgoing: ClientRequest, connectMs: number, cancel: (error: Error) => void): void {
  const connecting = setTimeout(() => cancel(new Error(`no connection in ${connectMs / 1000} s`)), connectMs)
  const connected = (): void => clearTimeout(connecting)
  outgoing.once('close', connected)
  outgoing.once('socket', socket => {
    if (socket.connecting) socket.once('connect', connected)
    else connected()
  })
}

/** Limits the time from the end of the request, or the start of the answer if that comes first, to the end of the answer. */
function limitAnswer(outgoing: ClientRequest, answerMs: number, cancel: (error: Error) => void): void {
  let answering: NodeJS.Timeout | undefined
  const start = (): void => {
    answering ??= setTimeout(() => cancel(new Error(`no end of the answer in ${answerMs / 1000} s`)), answerMs)
  }
  outgoing.once('finish', start)
  outgoing.once('response', start)
  outgoing.once('close', () => clearTimeout(answering))
}
