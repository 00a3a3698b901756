/** Sources that may not change after they were validated. */

import { digestText, runningHash64 } from '../contract/hash64.js'
import type { ByteReader } from './byte-reader.js'
import { inputChangedError, type Source } from './source.js'

/** Size of the pieces after each of which the hash of all bytes so far is noted. Each note takes eight bytes of memory. */
const PIECE_BYTES = 32 * 1024

/**
 * A source whose first complete reading decides its content. Every later reading fails before it returns a byte that
 * differs. File times do not suffice for this, because writes through a shared memory mapping (mmap) may not update them.
 */
export function fixedSource(source: Source): Source {
  let known: readonly bigint[] | undefined
  return {
    name: source.name,
    async open() {
      const pieces: bigint[] = []
      const hash = await runningHash64()
      const expected = known
      const check = (piece: Uint8Array): void => {
        hash.update(piece)
        pieces.push(hash.digest())
        const isSame = expected === undefined || expected[pieces.length - 1] === pieces.at(-1)
        if (!isSame) throw inputChangedError(source.name)
      }
      const end = (): void => {
        known ??= pieces
        if (known.length !== pieces.length) throw inputChangedError(source.name)
      }
      return checkedReader(await source.open(), { check, end })
    },
    assertUnchanged: () => source.assertUnchanged(),
    stat: options => source.stat(options),
    fingerprint: () => known && digestText(known.at(-1) ?? EMPTY),
    release: () => source.release(),
  }
}

/** XXH64 of no bytes. */
const EMPTY = 0xef46_db37_51d8_e999n

type Checks = {
  /** Called with each piece before any of its bytes is returned. Only the last piece may be shorter than the others. */
  readonly check: (piece: Uint8Array) => void
  /** Called at the end of the input. */
  readonly end: () => void
}

function checkedReader(reader: ByteReader, { check, end }: Checks): ByteReader {
  /** Checked bytes that the caller had no room for. */
  let rest = Buffer.alloc(0)
  const read = async (into: Buffer): Promise<number> => {
    const count = await fill(into, reader)
    for (let at = 0; at < count; at += PIECE_BYTES) check(into.subarray(at, Math.min(at + PIECE_BYTES, count)))
    if (count === 0) end()
    return count
  }
  return {
    async read(into, offset) {
      const room = into.length - offset
      if (rest.length === 0 && room >= PIECE_BYTES)
        return read(into.subarray(offset, offset + room - (room % PIECE_BYTES)))
      if (rest.length === 0) {
        const piece = Buffer.allocUnsafe(PIECE_BYTES)
        rest = piece.subarray(0, await read(piece))
      }
      const count = rest.copy(into, offset)
      rest = rest.subarray(count)
      return count
    },
    close: () => reader.close(),
  }
}

/** Reads until the buffer is full or the input ends. */
async function fill(buffer: Buffer, reader: ByteReader): Promise<number> {
  let filled = 0
  while (filled < buffer.length) {
    const count = await reader.read(buffer, filled)
    if (count === 0) break
    filled += count
  }
  return filled
}
