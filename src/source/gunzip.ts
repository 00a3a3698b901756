/** Decompresses gzip and, in general, streams through Node's decompressors. */

import { createGunzip } from 'node:zlib'
import { Readable, type Transform } from 'node:stream'
import { finished } from 'node:stream/promises'

/**
 * Decompresses gzip data.
 * @param packed one or more gzip members
 * @throws when a member is damaged or truncated, or when other bytes follow
 */
export function gunzip(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return throughZlib(packed, createGunzip({ chunkSize: UNPACKED_CHUNK_BYTES }))
}

export const UNPACKED_CHUNK_BYTES = 256 * 1024

/**
 * Yields the bytes that one of Node's decompressors makes of a stream, and verifies that it used all of the stream.
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
