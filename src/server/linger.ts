/** Connections that end while their client still sends. */

import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Long enough to read an answer over a slow line. */
const LINGER_MS = 2_000

/**
 * Lets a client that has not finished sending read its answer. Closing at once would make the system throw the answer
 * away with what was not read; so what still comes is read and dropped for a while.
 */
export function lingerAfter(response: ServerResponse): void {
  const { socket } = response
  if (socket === null) return
  const destroySoon = socket.destroySoon.bind(socket)
  // Node calls this when the response of a connection that closes is out.
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
