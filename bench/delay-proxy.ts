/** A TCP proxy that simulates a distant network: it delays bytes, keeps their order and does not limit bandwidth. */

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export type DelayProxy = {
  readonly port: number
  /** Number of round trips since the last call, without TCP handshakes. Resets the count. */
  takeTrips(): number
  stop(): Promise<void>
}

/** @param oneWayMs delay in each direction */
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
    // The end of a connection is not a request, because nobody waits for its answer.
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

/** Delays all bytes. Their order is preserved, because timers with the same delay fire in the order they were started. */
function delay(from: Socket, to: Socket, oneWayMs: number, onBytes: () => void): void {
  from.on('data', bytes => {
    onBytes()
    setTimeout(() => to.write(bytes), oneWayMs)
  })
  from.on('end', () => setTimeout(() => to.end(), oneWayMs))
  from.on('close', () => setTimeout(() => to.destroy(), oneWayMs))
}
