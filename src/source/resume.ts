/**
 * Finds the new part of a source that was partly enqueued before. The old part is recognised by a hash of all its
 * bytes.
 */

import { digestText, runningHash64 } from '../contract/hash64.js'
import { sliceReader, type ByteReader } from './byte-reader.js'
import { inputChangedError, type Source } from './source.js'

/** The start of a source. */
export type SourceStart = {
  readonly bytes: number
  /** XXH64 of the bytes, in hexadecimal digits. */
  readonly fingerprint: string
  /** The file's metadata before it was read, as from `Source.stat` with `flush`; may be empty. */
  readonly stat: string
}

/** How a source compares with the part that was enqueued before. */
export type SourceChange =
  | 'new'
  | 'unchanged'
  | 'grown'
  /** The source does not begin with that part: it was truncated, replaced or rewritten. */
  | 'other'

export type NewPart = {
  readonly change: SourceChange
  /** Number of bytes that were enqueued before and are skipped. */
  readonly skipped: number
  /** The whole source as it is now. */
  readonly whole: SourceStart
  /** Whether the last line has no line feed yet. */
  readonly isOpenEnded: boolean
  /** The new part, as a source of its own. */
  readonly source: Source
}

/** Whether the file's metadata shows that it has not been written to since `taken`. */
export async function isUntouched(source: Source, taken: SourceStart | undefined): Promise<boolean> {
  return taken !== undefined && taken.stat !== '' && taken.stat === (await source.stat())
}

/** Reads a source completely and determines its new part. */
export async function findNewPart(source: Source, taken: SourceStart | undefined): Promise<NewPart> {
  // The metadata is read before the bytes. Otherwise a write in between would go unnoticed.
  const stat = await source.stat({ flush: true })
  const { bytes, fingerprint, isOpenEnded, start, rest } = await readFingerprints(source, taken?.bytes ?? 0)
  const whole = { bytes, fingerprint, stat }
  const change = compareWithStart(taken, { bytes, start })
  const skipped = change === 'grown' || change === 'unchanged' ? taken!.bytes : 0
  const window = { skipped, bytes: bytes - skipped, fingerprint: skipped > 0 ? rest : fingerprint }
  return { change, skipped, whole, isOpenEnded, source: sourceWindow(source, window) }
}

function compareWithStart(
  taken: SourceStart | undefined,
  { bytes, start }: Pick<Read, 'bytes' | 'start'>,
): SourceChange {
  if (taken === undefined) return 'new'
  if (start !== taken.fingerprint) return 'other'
  return bytes === taken.bytes ? 'unchanged' : 'grown'
}

const BUFFER_BYTES = 256 * 1024
const LF = 0x0a

type Read = Omit<SourceStart, 'stat'> & {
  readonly isOpenEnded: boolean
  /** Fingerprint of the first `startBytes` bytes; undefined when the source is shorter. */
  readonly start: string | undefined
  /** Fingerprint of the bytes after those. */
  readonly rest: string
}

async function readFingerprints(source: Source, startBytes: number): Promise<Read> {
  const [whole, rest] = [await runningHash64(), await runningHash64()]
  let bytes = 0
  let last = LF
  let start = startBytes === 0 ? digestText(whole.digest()) : undefined
  for await (const chunk of pieces(await source.open(), startBytes)) {
    whole.update(chunk)
    if (bytes >= startBytes) rest.update(chunk)
    bytes += chunk.length
    last = chunk[chunk.length - 1]!
    if (bytes === startBytes) start = digestText(whole.digest())
  }
  return {
    bytes,
    fingerprint: digestText(whole.digest()),
    isOpenEnded: last !== LF,
    start,
    rest: digestText(rest.digest()),
  }
}

/** Reads chunks, one of which ends exactly at `border`. The next chunk is read while one is processed. */
async function* pieces(reader: ByteReader, border: number): AsyncGenerator<Buffer> {
  const buffers = [Buffer.allocUnsafe(BUFFER_BYTES), Buffer.allocUnsafe(BUFFER_BYTES)]
  let position = 0
  const read = (turn: number): Promise<number> => {
    const room = border > position ? Math.min(BUFFER_BYTES, border - position) : BUFFER_BYTES
    const reading = reader.read(buffers[turn]!.subarray(0, room), 0)
    // A failed read is reported by the next iteration; until then the rejection must not count as unhandled.
    reading.catch(() => undefined)
    return reading
  }
  let reading = read(0)
  try {
    for (let turn = 0; ; turn = 1 - turn) {
      const count = await reading
      if (count === 0) return
      position += count
      reading = read(1 - turn)
      yield buffers[turn]!.subarray(0, count)
    }
  } finally {
    await reading.catch(() => undefined)
    await reader.close()
  }
}

type Window = { readonly skipped: number; readonly bytes: number; readonly fingerprint: string }

/** A part of a source. Reading it to the end fails with `input_changed` if its fingerprint has changed. */
function sourceWindow(source: Source, { skipped, bytes, fingerprint }: Window): Source {
  return {
    ...source,
    async open() {
      const hash = await runningHash64()
      const reader = await sliceReader(await source.open(), { skipped, bytes })
      return {
        async read(into, offset) {
          const count = await reader.read(into, offset)
          if (count > 0) hash.update(into.subarray(offset, offset + count))
          else if (digestText(hash.digest()) !== fingerprint) throw inputChangedError(source.name)
          return count
        },
        close: () => reader.close(),
      }
    },
  }
}
