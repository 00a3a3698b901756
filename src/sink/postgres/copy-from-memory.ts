/** One `COPY … FROM STDIN` from memory, which settles exactly once whatever happens to the connection. */
import { from } from 'pg-copy-streams'
import type { PostgresClient } from './client.js'

// A CopyData message may not reach 1 GiB; views of this size cost nothing and let the server start at once.
const MESSAGE_BYTES = 256 * 1024

export function copyFromMemory(client: PostgresClient, text: string, data: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = client.query(from(text))
    stream.once('finish', resolve)
    stream.on('error', error => {
      reject(error)
      // Drops what is still queued: pg-copy-streams would write it to a connection it has let go of, and throw.
      stream.destroy()
    })
    for (let start = 0; start < data.length; start += MESSAGE_BYTES) {
      stream.write(data.subarray(start, start + MESSAGE_BYTES))
    }
    stream.end()
  })
}
