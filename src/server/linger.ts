/** Closes connections whose client is still sending, without losing the answer. */

import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Long enough to read an answer over a slow connection. */
const LINGER_MS = 2_000

/**
 * Lets a client that has not finished sending read its answer. If the socket were closed at once, unread data would make
 * the operating system discard the answer. The rest of the body is therefore read and dropped for up to LINGER_MS.
 */
export function lingerAfter(response: ServerResponse): void {
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
