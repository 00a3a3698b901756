/** Batches of records to COPY text format, a buffer per kind. */

import { realText } from '../contract/exact-value.js'
import { CONTRACT, type FieldType, type Kind } from '../contract/kinds.js'
import { STRIDE, type RecordBatch } from '../source/record-batch.js'
import type { StagedRows } from './sink.js'
import { stagedFields } from './tables.js'

/** Large enough that a round trip between two COPYs does not count, small enough for flat memory. */
export const CHUNK_BYTES = 4 * 1024 * 1024

const FIRST_BYTES = 64 * 1024

const TAB = 0x09
const LF = 0x0a
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
const LETTER_N = 0x4e
/** COPY's own names for the characters that end a field or a row, and for its escape. */
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

/**
 * Turns batches into chunks. A chunk's memory is used again when the chunk after the next is asked for, so that one can
 * be on its way to the server while the next is written.
 */
export async function* copyChunks(
  batches: AsyncIterable<RecordBatch>,
  chunkBytes = CHUNK_BYTES,
): AsyncGenerator<StagedRows> {
  const pool = new Pool()
  const writers = CONTRACT.kinds.map(kind => new KindWriter(kind, pool))
  for await (const batch of batches) {
    for (let row = 0; row < batch.count; row++) writers[batch.kinds[row]!]!.write(batch, row)
    for (const writer of writers) if (writer.length >= chunkBytes) yield pool.lend(writer.take())
  }
  for (const writer of writers) if (writer.length > 0) yield pool.lend(writer.take())
}

/** Buffers that come back two chunks after they were lent. */
class Pool {
  #free: Buffer[] = []
  #lent: Buffer[] = []

  take(): Buffer {
    // Small at first: most kinds of most pushes never fill a chunk.
    return this.#free.pop() ?? Buffer.allocUnsafe(FIRST_BYTES)
  }

  lend(chunk: StagedRows & { readonly buffer: Buffer }): StagedRows {
    if (this.#lent.length === 2) this.#free.push(this.#lent.shift()!)
    this.#lent.push(chunk.buffer)
    return chunk
  }
}

class KindWriter {
  length = 0
  #rows = 0
  #buffer: Buffer = Buffer.alloc(0)
  readonly #columns: readonly Column[]

  constructor(
    private readonly kind: Kind,
    private readonly pool: Pool,
  ) {
    this.#columns = COLUMNS[CONTRACT.kinds.indexOf(kind)]!
  }

  take(): StagedRows & { buffer: Buffer } {
    const buffer = this.#buffer
    const chunk = { kind: this.kind, rows: this.#rows, text: buffer.subarray(0, this.length), buffer }
    this.#buffer = Buffer.alloc(0)
    this.#rows = 0
    this.length = 0
    return chunk
  }

  write(batch: RecordBatch, row: number): void {
    const base = row * STRIDE
    const bytes = batch.bytesOf(row)
    const escape = batch.mayHoldControls(row)
    this.#digits(batch.ids[row]!)
    for (const { field, type } of this.#columns) {
      const start = batch.starts[base + field]!
      const end = batch.ends[base + field]!
      // An escaped character takes two bytes; 32 more hold any double and the marks around a value.
      this.#reserve((end - start) * 2 + 32)
      this.#buffer[this.length++] = TAB
      if (start < 0) this.#null()
      else if (type === 'f64') this.length += this.#buffer.write(realText(batch.reals[row]!), this.length, 'latin1')
      else if (type === '[i64]') this.#list(bytes, start, end)
      else if (escape) this.#escaped(bytes, start, end)
      else this.#plain(bytes, start, end)
    }
    this.#buffer[this.length++] = LF
    this.#rows++
  }

  #digits(id: bigint): void {
    this.#reserve(32)
    this.length += this.#buffer.write(id.toString(), this.length, 'latin1')
  }

  #null(): void {
    this.#buffer[this.length++] = BACKSLASH
    this.#buffer[this.length++] = LETTER_N
  }

  #list(bytes: Buffer, start: number, end: number): void {
    this.#buffer[this.length++] = OPEN
    this.#plain(bytes, start, end)
    this.#buffer[this.length++] = CLOSE
  }

  #plain(bytes: Buffer, start: number, end: number): void {
    const to = this.#buffer
    let at = this.length
    for (let from = start; from < end; from++) to[at++] = bytes[from]!
    this.length = at
  }

  #escaped(bytes: Buffer, start: number, end: number): void {
    for (let from = start; from < end; from++) {
      const letter = ESCAPED.get(bytes[from]!)
      if (letter !== undefined) this.#buffer[this.length++] = BACKSLASH
      this.#buffer[this.length++] = letter ?? bytes[from]!
    }
  }

  #reserve(bytes: number): void {
    if (this.#buffer.length === 0) this.#buffer = this.pool.take()
    if (this.length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe((this.length + bytes) * 2)
    this.#buffer.copy(larger, 0, 0, this.length)
    this.#buffer = larger
  }
}
