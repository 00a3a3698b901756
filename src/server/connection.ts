/** Connections that do not end as usual: those whose client is still sending, and those with an invalid request. */

import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Long enough to read an answer over a slow connection. */
const LINGER_MS = 2_000

/**
 * Lets a client that has not finished sending read its answer. If the socket were closed at once, unread data would make
 * the operating system discard the answer. The rest of the body is therefore read and dropped for up to LINGER_MS.
 */
export function lingerAfterResponse(response: ServerResponse): void {
  const { socket } = response
  if (socket === null) return
  const destroySoon = socket.destroySoon.bind(socket)
  // Node calls `destroySoon` after it has written the response of a connection that closes.
  socket.destroySoon = () => {
    if (socket.readableEnded || socket.destroyed) destroySoon()
    else linger(socket)
  }
}

const lingering = new WeakSet<Socket>()

export function isLingering(socket: Socket): boolean {
  return lingering.has(socket)
}

function linger(socket: Socket): void {
  lingering.add(socket)
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('end', () => socket.destroy())
  socket.once('close', () => clearTimeout(timer))
  socket.end()
}

type ErrorAnswer = readonly [status: string, error: string, message?: string]

const ANSWERS: Readonly<Record<string, ErrorAnswer>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'timeout'],
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'headers_too_large',
    'the address and the headers of a request must not exceed 16 KiB together; `ids` takes at most 500 ids',
  ],
}

/** The answer of each connection that is not complete. */
const answering = new WeakMap<Socket, ServerResponse>()

/** Must be called for every request, so that `answerClientError` does not interrupt an answer. */
export function noteRequest(response: ServerResponse): void {
  const { socket } = response
  if (socket === null) return
  answering.set(socket, response)
  response.once('finish', () => answering.delete(socket))
}

/** Answers bytes that are not a valid HTTP request, and requests that time out. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  // A disconnected client reads nothing. A client that is being answered must not get a second answer.
  if (
    error.code === 'ECONNRESET' ||
    socket.destroyed ||
    !socket.writable ||
    answering.get(socket)?.headersSent === true
  ) {
    socket.destroy()
    return
  }
  const [status, code, message] = ANSWERS[error.code ?? ''] ?? ['400 Bad Request', 'bad_request']
  const body = JSON.stringify({ error: code, message })
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}`
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`, () => socket.destroy())
}

/**
 * Closes connections on which nothing was ever sent, such as those that browsers open in advance. Node counts them as busy when a
 * server closes.
 * @returns closes those that are open at that moment
 */
export function trackUnusedConnections(server: Server): () => void {
  const open = new Set<Socket>()
  server.on('connection', socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return () => {
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
  }
}
