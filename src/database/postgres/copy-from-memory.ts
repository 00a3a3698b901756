/** Runs `COPY … FROM STDIN`. Loaded when it is used, because small deliveries do without COPY. */

import { from } from 'pg-copy-streams'
import type { PostgresClient } from './client.js'

// Size of a CopyData message, which must be smaller than 1 GiB. Small messages cost nothing and let the server start at once.
const MESSAGE_BYTES = 256 * 1024

/** Runs one `COPY … FROM STDIN` from memory. The promise always settles, even when the connection is lost. */
export function copyFromMemory(client: PostgresClient, text: string, data: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = client.query(from(text))
    stream.once('finish', resolve)
    stream.on('error', error => {
      reject(error)
      // Discards the queued data. Otherwise pg-copy-streams would write it to a connection that it has released, and throw.
      stream.destroy()
    })
    for (let start = 0; start < data.length; start += MESSAGE_BYTES) {
      stream.write(data.subarray(start, start + MESSAGE_BYTES))
    }
    stream.end()
  })
}
