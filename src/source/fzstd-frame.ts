/**
 * Decompresses a zstd frame with the fzstd package, for Node versions without zstd. fzstd ignores the checksum and
 * loops forever on
 * some damaged blocks, so the checksum is verified here and each block has a time limit.
 */

import { createContext, Script } from 'node:vm'
import { Decompress } from 'fzstd'
import xxhash from 'xxhash-wasm'
import { hasChecksum } from './zstd-frame.js'

/** Time limit per block. A block decompresses to at most 128 KiB, which takes a few milliseconds. */
const MAX_BLOCK_MS = 10_000

const DESCRIPTOR_AT = 4

/**
 * Decompresses one frame.
 * @param pieces the header, the blocks and the checksum of the frame
 * @throws when the frame is damaged
 */
export async function* unpackFrame(
  pieces: AsyncIterable<Buffer>,
  maxBlockMs = MAX_BLOCK_MS,
): AsyncGenerator<Uint8Array> {
  const hash = (await xxhash()).create64()
  const push = pusher(maxBlockMs)
  let first: Buffer | undefined
  let last: Buffer | undefined
  for await (const piece of pieces) {
    first ??= piece
    last = piece
    yield* hashed(push(piece, false))
  }
  yield* hashed(push(Buffer.alloc(0), true))
  const isChecked = first !== undefined && hasChecksum(first[DESCRIPTOR_AT]!)
  if (isChecked && last?.readUInt32LE() !== Number(hash.digest() & 0xffffffffn))
    throw new Error('the checksum does not match')

  function hashed(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
    for (const chunk of chunks) hash.update(chunk)
    return chunks
  }
}

type Push = (piece: Uint8Array, final: boolean) => readonly Uint8Array[]

const GO = new Script('go()')

/**
 * Returns a function that decompresses the next piece. It runs in a `vm` script, because only the engine's timeout can
 * stop an endless
 * synchronous loop.
 */
function pusher(maxBlockMs: number): Push {
  let ready: Uint8Array[] = []
  const stream = new Decompress(chunk => {
    if (chunk.length > 0) ready.push(chunk)
  })
  const scope = { go: (): void => undefined }
  const context = createContext(scope)
  return (piece, final) => {
    ready = []
    scope.go = () => void stream.push(piece, final)
    GO.runInContext(context, { timeout: maxBlockMs })
    return ready
  }
}
