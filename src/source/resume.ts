/** What is new in a source of which a part was taken before. That part is recognised by its bytes, all of them. */

import { runningHash64, type RunningHash64 } from '../contract/hash64.js'
import { IngestError } from '../errors.js'
import { part, type ByteReader } from './byte-reader.js'
import type { Source } from './source.js'

/** The start of a source. */
export type Part = {
  readonly bytes: number
  /** XXH64 of them, in hexadecimal digits. */
  readonly fingerprint: string
  /** What the system said of the file then, or nothing. */
  readonly stat: string
}

/** How a source compares with what was taken of it. */
export type Change =
  | 'new'
  | 'unchanged'
  | 'grown'
  /** It does not begin with what was taken: cut off, replaced or written anew. */
  | 'other'

export type Rest = {
  readonly change: Change
  /** Bytes that were taken before and are passed over. */
  readonly skipped: number
  /** All that there is now. */
  readonly whole: Part
  /** The last line has no line feed yet. */
  readonly isOpenEnded: boolean
  /** What is not passed over, as a source of its own. */
  readonly source: Source
}

/** Whether the system says that nobody has written to the source since `taken`. */
export async function isUntouched(source: Source, taken: Part | undefined): Promise<boolean> {
  return taken !== undefined && taken.stat !== '' && taken.stat === (await source.stat())
}

/** Reads all of a source once. */
export async function restOf(source: Source, taken: Part | undefined): Promise<Rest> {
  // Asked before the bytes: what is written meanwhile must not pass for what was read.
  const stat = await source.stat()
  const { bytes, fingerprint, isOpenEnded, start, rest } = await fingerprintsOf(source, taken?.bytes ?? 0)
  const whole = { bytes, fingerprint, stat }
  const change = changeOf(taken, { bytes, start })
  const skipped = change === 'grown' || change === 'unchanged' ? taken!.bytes : 0
  const window = { skipped, bytes: bytes - skipped, fingerprint: skipped > 0 ? rest : fingerprint }
  return { change, skipped, whole, isOpenEnded, source: windowOf(source, window) }
}

function changeOf(taken: Part | undefined, { bytes, start }: Pick<Read, 'bytes' | 'start'>): Change {
  if (taken === undefined) return 'new'
  if (start !== taken.fingerprint) return 'other'
  return bytes === taken.bytes ? 'unchanged' : 'grown'
}

const BUFFER_BYTES = 256 * 1024
const LF = 0x0a

type Read = Omit<Part, 'stat'> & {
  readonly isOpenEnded: boolean
  /** Of the first bytes that were asked for, where there are as many. */
  readonly start: string | undefined
  /** Of what comes after them. */
  readonly rest: string
}

async function fingerprintsOf(source: Source, startBytes: number): Promise<Read> {
  const [whole, rest] = [await runningHash64(), await runningHash64()]
  let bytes = 0
  let last = LF
  let start = startBytes === 0 ? textOf(whole) : undefined
  for await (const chunk of pieces(await source.open(), startBytes)) {
    whole.update(chunk)
    if (bytes >= startBytes) rest.update(chunk)
    bytes += chunk.length
    last = chunk[chunk.length - 1]!
    if (bytes === startBytes) start = textOf(whole)
  }
  return { bytes, fingerprint: textOf(whole), isOpenEnded: last !== LF, start, rest: textOf(rest) }
}

/** Chunks that end where `border` is, among other places; the next one is read while one is worked on. */
async function* pieces(reader: ByteReader, border: number): AsyncGenerator<Buffer> {
  const buffers = [Buffer.allocUnsafe(BUFFER_BYTES), Buffer.allocUnsafe(BUFFER_BYTES)]
  let position = 0
  const read = (turn: number): Promise<number> => {
    const room = border > position ? Math.min(BUFFER_BYTES, border - position) : BUFFER_BYTES
    const reading = reader.read(buffers[turn]!.subarray(0, room), 0)
    // Met by the next turn.
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

/** A part of a source that is checked, whenever it is read to its end, to be what it was. */
function windowOf(source: Source, { skipped, bytes, fingerprint }: Window): Source {
  return {
    ...source,
    async open() {
      const hash = await runningHash64()
      const reader = await part(await source.open(), { skipped, bytes })
      return {
        async read(into, offset) {
          const count = await reader.read(into, offset)
          if (count > 0) hash.update(into.subarray(offset, offset + count))
          else if (textOf(hash) !== fingerprint) throw changed(source.name)
          return count
        },
        close: () => reader.close(),
      }
    },
  }
}

function changed(name: string): IngestError {
  const hint = 'a file may grow while it is pushed, but not be written anew; push it again when its writer is done'
  return new IngestError('input_changed', `${name} changed while it was being read`, { hint })
}

function textOf(hash: RunningHash64): string {
  return hash.digest().toString(16).padStart(16, '0')
}
