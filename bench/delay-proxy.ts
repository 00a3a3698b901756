/** A TCP proxy as long as a network: what goes in comes out later, in the same order, however fast it comes. */

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export type DelayProxy = {
  readonly port: number
  /** How often an answer followed a question on the connections so far, TCP's own handshake left out; starts anew. */
  takeTrips(): number
  stop(): Promise<void>
}

/** @param oneWayMs in each direction */
export async function startDelayProxy(port: number, oneWayMs: number): Promise<DelayProxy> {
  let trips = 0
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const upstream = connect(port, '127.0.0.1')
    let asked = false
    for (const socket of [client, upstream]) {
      sockets.add(socket.setNoDelay(true))
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    delay(client, upstream, oneWayMs, () => (asked = true))
    // Nobody waits for the answer to a goodbye.
    client.on('end', () => (asked = false))
    delay(upstream, client, oneWayMs, () => {
      if (asked) trips++
      asked = false
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    takeTrips() {
      const taken = trips
      trips = 0
      return taken
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Timers of one delay end in the order they began in. */
function delay(from: Socket, to: Socket, oneWayMs: number, onBytes: () => void): void {
  from.on('data', bytes => {
    onBytes()
    setTimeout(() => to.write(bytes), oneWayMs)
  })
  from.on('end', () => setTimeout(() => to.end(), oneWayMs))
  from.on('close', () => setTimeout(() => to.destroy(), oneWayMs))
}
