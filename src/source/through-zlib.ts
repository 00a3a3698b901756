/** Decompresses a stream with one of Node's decompressors and verifies that all input was used. */

import { Readable, type Transform } from 'node:stream'
import { finished } from 'node:stream/promises'

export const UNPACKED_CHUNK_BYTES = 256 * 1024

/**
 * Yields the decompressed bytes.
 * @throws when the bytes are damaged or truncated, or when the decompressor leaves some of them unread
 */
export async function* throughZlib(
  packed: AsyncIterable<Uint8Array>,
  stream: Transform & { readonly bytesWritten: number },
): AsyncGenerator<Uint8Array> {
  let given = 0
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of packed) {
      given += chunk.length
      yield chunk
    }
  }
  const source = Readable.from(counted(), { objectMode: false })
  source.on('error', error => stream.destroy(error))
  source.pipe(stream)
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
    await finished(stream)
    // gunzip treats a zero byte after a member as padding and ignores everything after it.
    if (stream.bytesWritten < given) throw new Error('other bytes follow the compressed ones')
  } finally {
    source.destroy()
    stream.destroy()
  }
}
