/** Converts batches of records to COPY text format, with one buffer per kind. */

import { realText } from '../contract/exact-value.js'
import { CONTRACT, type FieldType, type Kind } from '../contract/kinds.js'
import { copyBytes } from '../contract/words.js'
import { ABSENT, STRIDE, type RecordBatch } from '../source/record-batch.js'
import type { CopyRows } from '../source/delivery.js'
import { stagedFields } from './tables.js'
import { DEFAULT_COPY_BYTES } from './tunables.js'

const FIRST_BYTES = 64 * 1024
/** Buffers grow to twice their size, but at most by this much more than needed. */
const MAX_SPARE_BYTES = 4 * 1024 * 1024

const TAB = 0x09
const LF = 0x0a
const SPACE = 0x20
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
const LETTER_N = 0x4e
/** The letters that follow the backslash when COPY escapes a tab, line feed, carriage return or backslash. */
const ESCAPED: ReadonlyMap<number, number> = new Map([
  [BACKSLASH, BACKSLASH],
  [TAB, 0x74],
  [LF, 0x6e],
  [0x0d, 0x72],
])

type Column = { readonly field: number; readonly type: FieldType }
const COLUMNS: readonly (readonly Column[])[] = CONTRACT.kinds.map(kind =>
  stagedFields(kind).map(field => ({ field: kind.fields.indexOf(field), type: field.type })),
)

/** Collects all rows of any number of batches in one chunk per kind. The chunks' memory is not reused. */
export class CopyRowsCollector {
  readonly #pool = new Pool()
  readonly #writers = CONTRACT.kinds.map(kind => new KindWriter(kind, this.#pool))

  add(batch: RecordBatch): void {
    for (let row = 0; row < batch.count; row++) this.#writers[batch.kinds[row]!]!.write(batch, row)
  }

  get bytes(): number {
    return this.#writers.reduce((sum, { length }) => sum + length, 0)
  }

  get chunks(): readonly CopyRows[] {
    return this.#writers.filter(({ length }) => length > 0).map(({ chunk }) => chunk)
  }
}

/**
 * Converts batches into chunks. The memory of a chunk is reused as soon as the second chunk after it is requested, so that one
 * chunk can be on its way to the server while the next is filled.
 */
export async function* copyChunks(
  batches: AsyncIterable<RecordBatch>,
  chunkBytes = DEFAULT_COPY_BYTES,
): AsyncGenerator<CopyRows> {
  const pool = new Pool()
  const writers = CONTRACT.kinds.map(kind => new KindWriter(kind, pool))
  for await (const batch of batches) {
    for (let row = 0; row < batch.count; row++) writers[batch.kinds[row]!]!.write(batch, row)
    for (const writer of writers) if (writer.length >= chunkBytes) yield pool.lend(writer.take())
  }
  for (const writer of writers) if (writer.length > 0) yield pool.lend(writer.take())
}

/** A pool of buffers. A buffer becomes free again after two more were lent. */
class Pool {
  #free: Buffer[] = []
  #lent: Buffer[] = []

  take(): Buffer {
    // Buffers start small, because in most pushes most kinds never fill a chunk.
    return this.#free.pop() ?? Buffer.allocUnsafe(FIRST_BYTES)
  }

  lend(chunk: CopyRows & { readonly buffer: Buffer }): CopyRows {
    if (this.#lent.length === 2) this.#free.push(this.#lent.shift()!)
    this.#lent.push(chunk.buffer)
    return chunk
  }
}

class KindWriter {
  length = 0
  #rows = 0
  #buffer: Buffer = Buffer.alloc(0)
  #view = new DataView(new ArrayBuffer(0)) as DataView
  readonly #columns: readonly Column[]

  constructor(
    private readonly kind: Kind,
    private readonly pool: Pool,
  ) {
    this.#columns = COLUMNS[CONTRACT.kinds.indexOf(kind)]!
  }

  get chunk(): CopyRows & { readonly buffer: Buffer } {
    const buffer = this.#buffer
    return { kind: this.kind, rows: this.#rows, text: buffer.subarray(0, this.length), buffer }
  }

  take(): CopyRows & { readonly buffer: Buffer } {
    const { chunk } = this
    this.#buffer = Buffer.alloc(0)
    this.#rows = 0
    this.length = 0
    return chunk
  }

  write(batch: RecordBatch, row: number): void {
    this.#reserve(this.#mostBytes(batch, row))
    const to = this.#buffer
    const view = this.#view
    const { starts, ends } = batch
    const from = batch.viewOf(row)
    const escape = batch.mayHoldControls(row)
    let at = writeAscii(to, this.length, batch.ids[row]!.toString())
    for (const { field, type } of this.#columns) {
      const start = starts[row * STRIDE + field]!
      const end = ends[row * STRIDE + field]!
      to[at++] = TAB
      if (start === ABSENT) {
        to[at++] = BACKSLASH
        to[at++] = LETTER_N
      } else if (type === 'f64') at = writeAscii(to, at, realText(batch.reals[row]!))
      else if (type === '[i64]') {
        to[at++] = OPEN
        at = copyBytes(view, at, from, start, end)
        to[at++] = CLOSE
      } else at = escape ? copyEscaped(view, at, from, start, end) : copyBytes(view, at, from, start, end)
    }
    to[at++] = LF
    this.length = at
    this.#rows++
  }

  /**
   * Upper bound of a row's size: two bytes for each byte of a string, which may be escaped, and 32 bytes for any number and
   * delimiters.
   */
  #mostBytes(batch: RecordBatch, row: number): number {
    const { starts, ends } = batch
    let bytes = 32
    for (const { field, type } of this.#columns) {
      const start = starts[row * STRIDE + field]!
      bytes += start === ABSENT ? 32 : (ends[row * STRIDE + field]! - start) * (type === 'str' ? 2 : 1) + 32
    }
    return bytes
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.#buffer.length) return
    const buffer = this.#buffer.length === 0 ? this.pool.take() : this.#buffer
    const fits = this.length + bytes <= buffer.length
    const spare = Math.min(this.length + bytes, MAX_SPARE_BYTES)
    this.#buffer = fits ? buffer : Buffer.allocUnsafe(this.length + bytes + spare)
    if (!fits) buffer.copy(this.#buffer, 0, 0, this.length)
    this.#view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.length)
  }
}

/** Copies ASCII text. For so few bytes this loop is faster than `Buffer.write`. */
function writeAscii(to: Buffer, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) to[at + i] = text.charCodeAt(i)
  return at + text.length
}

function copyEscaped(to: DataView, at: number, from: DataView, start: number, end: number): number {
  let next = at
  for (let i = start; i < end; i++) {
    const byte = from.getUint8(i)
    const letter = byte < SPACE || byte === BACKSLASH ? ESCAPED.get(byte) : undefined
    if (letter !== undefined) to.setUint8(next++, BACKSLASH)
    to.setUint8(next++, letter ?? byte)
  }
  return next
}
