/** An HTTP server that reads envelopes, counts their records and discards them. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGunzip } from 'node:zlib'

const OPEN = 0x7b
/** Objects of an envelope that are not records: the envelope itself, its run and its commit. */
const OTHER_OBJECTS = 3

export type Discard = {
  readonly url: string
  /** Number of connections so far. */
  readonly connections: () => number
  readonly stop: () => Promise<void>
}

export async function startDiscard(): Promise<Discard> {
  const server = createServer((request, response) => {
    let objects = 0
    const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request
    body.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(OPEN); at !== -1; at = chunk.indexOf(OPEN, at + 1)) objects++
    })
    body.on('end', () => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ inserted: Math.max(0, objects - OTHER_OBJECTS), updated: 0 }))
    })
  })
  let connections = 0
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    connections: () => connections,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
