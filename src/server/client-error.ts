/** Answers for bytes that are not a valid HTTP request and for requests that time out. */

import type { Socket } from 'node:net'

const ANSWERS: Readonly<Record<string, readonly [status: string, error: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'timeout'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'headers_too_large'],
}

export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  // A disconnected client reads nothing. A client that was answered already must not get a second answer.
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy()
    return
  }
  const [status, code] = ANSWERS[error.code ?? ''] ?? ['400 Bad Request', 'bad_request']
  const body = JSON.stringify({ error: code })
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}`
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`, () => socket.destroy())
}
