/** A batch of valid records, stored as offsets into the bytes of their lines, so that no objects are created per line. */

import { CONTRACT, type Kind } from '../contract/kinds.js'
import type { VersionSet } from '../contract/version-set.js'
import { SLACK, wordView } from '../contract/words.js'

/** Number of field offsets per row, the same for every kind. */
export const STRIDE = Math.max(...CONTRACT.kinds.map(kind => kind.fields.length))

/** Marks the start of a field that is absent or null. */
export const ABSENT = -1

/** Line number in the source, from 1, and the offset of the line in its block. */
export type LinePosition = { line: number; start: number }

/** Buffers grow to twice their size, but at most by this much more than needed. */
const MAX_SPARE_BYTES = 4 * 1024 * 1024

/**
 * The records of one block of lines. Valid until the next batch is requested, because its memory is reused.
 * Field `f` of row `r` is the part of `bytesOf(r)` from `starts[r * STRIDE + f]` to `ends[r * STRIDE + f]`: the UTF-8
 * of a string without quotes or escapes, the token of a number, or the tokens of an array without its brackets.
 */
export class RecordBatch {
  count = 0
  /** The kind of each row, as an index into `CONTRACT.kinds`. */
  kinds = new Uint8Array(0)
  /** The contract versions that each row fits. */
  fits = new Uint32Array(0)
  /** Line number of each row, from 1. */
  lines = new Uint32Array(0)
  /** Offset in the source of each row's line. */
  bytes = new Float64Array(0)
  starts = new Int32Array(0)
  ends = new Int32Array(0)
  /** The double of a row's f64 field. */
  reals = new Float64Array(0)
  /** The measurement ids; filled by `identify`. */
  ids = new BigInt64Array(0)
  /** 1 for each row whose offsets refer to `#side`. */
  #inSide = new Uint8Array(0)
  #block: Buffer = Buffer.alloc(0)
  /** Texts that are not part of the block, such as strings whose escapes were decoded. */
  #side: Buffer = Buffer.alloc(0)
  #sideLength = 0
  #firstByte = 0
  #blockView = new DataView(new ArrayBuffer(0)) as DataView
  #sideView = new DataView(new ArrayBuffer(0)) as DataView

  /** Removes all rows. New rows refer to `block`, which starts at `firstByte` of its source. */
  reset(block: Buffer, firstByte: number): void {
    this.count = 0
    this.#block = block
    this.#blockView = wordView(block)
    this.#firstByte = firstByte
    this.#sideLength = 0
  }

  /** Reserves space for one more row and returns its index. The row is added by `commit`. */
  nextRow(): number {
    if (this.count === this.kinds.length) this.#grow(Math.max(1024, this.count * 2))
    return this.count
  }

  /** Adds the row that `nextRow` reserved. */
  commit(kind: number, { line, start }: LinePosition, fits: VersionSet): void {
    this.kinds[this.count] = kind
    this.fits[this.count] = fits
    this.lines[this.count] = line
    this.bytes[this.count] = this.#firstByte + start
    this.#inSide[this.count] = 0
    this.count++
  }

  /** Sets a field of the next row to text that is not part of the block. @param text a string, or its UTF-8 */
  setText(field: number, text: string | Buffer): void {
    const at = this.count * STRIDE + field
    const bytes = Buffer.byteLength(text)
    if (this.#sideLength + bytes + SLACK > this.#side.length) this.#growSide(bytes)
    this.starts[at] = this.#sideLength
    if (typeof text === 'string') this.#side.write(text, this.#sideLength)
    else text.copy(this.#side, this.#sideLength)
    this.#sideLength += bytes
    this.ends[at] = this.#sideLength
  }

  /** Like `commit`, for a row whose fields were set with `setText`. */
  commitSide(kind: number, position: LinePosition, fits: VersionSet): void {
    this.commit(kind, position, fits)
    this.#inSide[this.count - 1] = 1
  }

  /** The bytes that a row's offsets refer to. */
  bytesOf(row: number): Buffer {
    return this.#inSide[row] === 1 ? this.#side : this.#block
  }

  /** The bytes that a row's offsets refer to, as a view for reading words. */
  viewOf(row: number): DataView {
    return this.#inSide[row] === 1 ? this.#sideView : this.#blockView
  }

  /** Upper bound for the total length of the texts of any row. */
  get longestText(): number {
    return Math.max(this.#block.length, this.#sideLength)
  }

  /** The block as a view for reading words. */
  get blockView(): DataView {
    return this.#blockView
  }

  /** Whether a row's strings may contain characters that must be escaped in JSON. */
  mayHoldControls(row: number): boolean {
    return this.#inSide[row] === 1
  }

  kindOf(row: number): Kind {
    return CONTRACT.kinds[this.kinds[row]!]!
  }

  /** A field as text; undefined when absent. */
  text(row: number, field: number): string | undefined {
    const at = row * STRIDE + field
    const start = this.starts[at]!
    return start === ABSENT ? undefined : this.bytesOf(row).toString('utf8', start, this.ends[at])
  }

  #grow(capacity: number): void {
    this.kinds = grown(this.kinds, new Uint8Array(capacity))
    this.fits = grown(this.fits, new Uint32Array(capacity))
    this.lines = grown(this.lines, new Uint32Array(capacity))
    this.bytes = grown(this.bytes, new Float64Array(capacity))
    this.starts = grown(this.starts, new Int32Array(capacity * STRIDE))
    this.ends = grown(this.ends, new Int32Array(capacity * STRIDE))
    this.reals = grown(this.reals, new Float64Array(capacity))
    this.ids = new BigInt64Array(capacity)
    this.#inSide = grown(this.#inSide, new Uint8Array(capacity))
  }

  #growSide(bytes: number): void {
    const length = this.#sideLength + bytes
    const larger = Buffer.allocUnsafe(length + Math.max(64 * 1024, Math.min(length, MAX_SPARE_BYTES)))
    this.#side.copy(larger, 0, 0, this.#sideLength)
    this.#side = larger
    this.#sideView = wordView(larger.subarray(0, larger.length - SLACK))
  }
}

function grown<T extends { set(from: ArrayLike<number>): void } & ArrayLike<number>>(from: T, to: T): T {
  to.set(from)
  return to
}
