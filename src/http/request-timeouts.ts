/** Timeouts of a request: for connecting, for the next byte, and for the complete answer. */

import type { ClientRequest } from 'node:http'

const CONNECT_TIMEOUT_MS = 15_000

/** The complete answer may take this many idle timeouts, because a server that sends a byte now and then is never idle. */
const IDLE_TIMEOUTS_PER_ANSWER = 10

export function setRequestTimeouts(
  outgoing: ClientRequest,
  idleTimeoutMs: number,
  cancel: (error: Error) => void,
): void {
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
