/** Valid records as offsets into the bytes they came in, so that a line costs no objects. */

import { CONTRACT, type Kind } from '../contract/kinds.js'
import type { VersionSet } from '../contract/version-set.js'
import { SLACK, wordView } from '../contract/words.js'

/** Offsets kept for every row, whatever its kind. */
export const STRIDE = Math.max(...CONTRACT.kinds.map(kind => kind.fields.length))

/** Start of a field that is absent or null. */
export const ABSENT = -1

/** Number of a line in its source, from 1, and where it starts in its block. */
export type LinePlace = { line: number; start: number }

/**
 * The records of one block of lines. Valid until the next batch is asked for: the memory is used again.
 *
 * Field `f` of row `r` is `bytesOf(r)` from `starts[r * STRIDE + f]` to `ends[…]`: a string's UTF-8 without quotes or
 * escapes, a number's token, an array's tokens between its brackets.
 */
export class RecordBatch {
  count = 0
  /** Index into `CONTRACT.kinds`. */
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
  /** Filled by `identify`. */
  ids = new BigInt64Array(0)
  #inSide = new Uint8Array(0)
  #block: Buffer = Buffer.alloc(0)
  #side: Buffer = Buffer.alloc(0)
  #sideLength = 0
  #firstByte = 0
  #blockView = new DataView(new ArrayBuffer(0)) as DataView
  #sideView = new DataView(new ArrayBuffer(0)) as DataView

  /** Forgets all rows and takes `block`, which stands at `firstByte` of its source, as what rows point into. */
  reset(block: Buffer, firstByte: number): void {
    this.count = 0
    this.#block = block
    this.#blockView = wordView(block)
    this.#firstByte = firstByte
    this.#sideLength = 0
  }

  /** Makes room for one more row and returns its index; `count` grows when the row is `commit`ted. */
  nextRow(): number {
    if (this.count === this.kinds.length) this.#grow(Math.max(1024, this.count * 2))
    return this.count
  }

  /** Accepts the row that `nextRow` gave. */
  commit(kind: number, { line, start }: LinePlace, fits: VersionSet): void {
    this.kinds[this.count] = kind
    this.fits[this.count] = fits
    this.lines[this.count] = line
    this.bytes[this.count] = this.#firstByte + start
    this.#inSide[this.count] = 0
    this.count++
  }

  /** Sets a field of the next row to text that does not stand in the block. */
  setText(field: number, text: string): void {
    const at = this.count * STRIDE + field
    const bytes = Buffer.byteLength(text)
    if (this.#sideLength + bytes + SLACK > this.#side.length) this.#growSide(bytes)
    this.starts[at] = this.#sideLength
    this.#sideLength += this.#side.write(text, this.#sideLength)
    this.ends[at] = this.#sideLength
  }

  /** Like `commit`, for a row whose fields were set with `setText`. */
  commitSide(kind: number, place: LinePlace, fits: VersionSet): void {
    this.commit(kind, place, fits)
    this.#inSide[this.count - 1] = 1
  }

  /** The bytes that the offsets of a row point into. */
  bytesOf(row: number): Buffer {
    return this.#inSide[row] === 1 ? this.#side : this.#block
  }

  /** The same bytes for reading words. */
  viewOf(row: number): DataView {
    return this.#inSide[row] === 1 ? this.#sideView : this.#blockView
  }

  /** No row's texts together are longer. */
  get longestText(): number {
    return Math.max(this.#block.length, this.#sideLength)
  }

  /** The block for reading words. */
  get blockView(): DataView {
    return this.#blockView
  }

  /** True when a row's strings may hold characters that JSON escapes. */
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
    const larger = Buffer.allocUnsafe(Math.max(64 * 1024, (this.#sideLength + bytes) * 2))
    this.#side.copy(larger, 0, 0, this.#sideLength)
    this.#side = larger
    this.#sideView = wordView(larger.subarray(0, larger.length - SLACK))
  }
}

function grown<T extends { set(from: ArrayLike<number>): void } & ArrayLike<number>>(from: T, to: T): T {
  to.set(from)
  return to
}
