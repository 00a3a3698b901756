/** zstd for Node versions that have none of their own. */

import { Decompress } from 'fzstd'

/** @param packed the bytes of one or more zstd frames @throws when a frame is damaged or cut short */
export async function* unzstd(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = []
  const stream = new Decompress(chunk => {
    if (chunk.length > 0) ready.push(chunk)
  })
  for await (const chunk of packed) {
    stream.push(chunk)
    yield* ready
    ready = []
  }
  stream.push(new Uint8Array(0), true)
  yield* ready
}
