/** How long a request waits: for a connection, for the next byte, and for the end of the answer. */

import type { ClientRequest } from 'node:http'

const CONNECT_TIMEOUT_MS = 15_000

/** Who keeps saying something, and never all of it, is not silent: in so many times the silence an answer must end. */
const SILENCES_PER_ANSWER = 10

export function setRequestTimeouts(
  outgoing: ClientRequest,
  idleTimeoutMs: number,
  giveUp: (error: Error) => void,
): void {
  outgoing.setTimeout(idleTimeoutMs, () => giveUp(new Error(`no answer for ${idleTimeoutMs / 1000} s`)))
  limitConnecting(outgoing, Math.min(CONNECT_TIMEOUT_MS, idleTimeoutMs), giveUp)
  limitAnswer(outgoing, idleTimeoutMs * SILENCES_PER_ANSWER, giveUp)
}

/** A connection, through a proxy too, is there at once or not at all. */
function limitConnecting(outgoing: ClientRequest, connectMs: number, giveUp: (error: Error) => void): void {
  const connecting = setTimeout(() => giveUp(new Error(`no connection in ${connectMs / 1000} s`)), connectMs)
  const connected = (): void => clearTimeout(connecting)
  outgoing.once('close', connected)
  outgoing.once('socket', socket => {
    if (socket.connecting) socket.once('connect', connected)
    else connected()
  })
}

/** From when all is sent, or an answer comes before that. */
function limitAnswer(outgoing: ClientRequest, answerMs: number, giveUp: (error: Error) => void): void {
  let answering: NodeJS.Timeout | undefined
  const start = (): void => {
    answering ??= setTimeout(() => giveUp(new Error(`no end of the answer in ${answerMs / 1000} s`)), answerMs)
  }
  outgoing.once('finish', start)
  outgoing.once('response', start)
  outgoing.once('close', () => clearTimeout(answering))
}
