/** Computes measurement ids and defines the bytes that they hash. */

import type { ExactObject } from './exact-value.js'
import type { Hash64 } from './hash64.js'
import { dimensionsOf, type Kind } from './kinds.js'
import { IngestError } from '../errors.js'
import { copyBytes, SLACK, wordView } from './words.js'

/**
 * A buffer for the bytes that the id of one measurement hashes: the table name in ASCII, 0x00, then each dimension in
 * order. A string is
 * its UTF-8 length as u64 little-endian, then its bytes. An optional string is preceded by 0x00 (absent) or 0x01
 * (present). An i32 has
 * 4 bytes and an f64 has 8 bytes, both little-endian. A conditional dimension is omitted when it is absent or has its
 * default.
 * The caller keeps the current offset. Each `put…` function takes the offset to write at and returns the offset after
 * it.
 * @see contract section 6
 */
export class Preimage {
  view = new DataView(new ArrayBuffer(0))
  /** One view per length, cached because creating a view costs more than writing the bytes. */
  #heads: (Uint8Array | undefined)[] = []

  /** Ensures capacity for this many bytes. Bytes written before may be lost. */
  reserve(bytes: number): void {
    if (bytes + SLACK <= this.view.byteLength) return
    this.view = new DataView(new ArrayBuffer((bytes + SLACK) * 2))
    this.#heads = new Array<undefined>(KEPT_HEADS).fill(undefined)
  }

  /** The first `length` bytes; valid until more are written. */
  bytes(length: number): Uint8Array {
    if (length >= KEPT_HEADS) return new Uint8Array(this.view.buffer, 0, length)
    return (this.#heads[length] ??= new Uint8Array(this.view.buffer, 0, length))
  }
}

const KEPT_HEADS = 512

/** Writes a string: its length and its UTF-8 bytes, which are in `from` from `start` to `end`. */
export function putText(to: DataView, at: number, from: DataView, start: number, end: number): number {
  // A string is never longer than a line, so the upper half of its length is zero.
  to.setInt32(at, end - start, true)
  to.setInt32(at + 4, 0, true)
  return copyBytes(to, at + 8, from, start, end)
}

export function putByte(to: DataView, at: number, value: number): number {
  to.setUint8(at, value)
  return at + 1
}

export function putI32(to: DataView, at: number, value: number): number {
  to.setInt32(at, value, true)
  return at + 4
}

/**
 * Writes a double.
 * @throws {IngestError} `not_finite` when the value is NaN or infinite
 */
export function putF64(to: DataView, at: number, value: number): number {
  if (!Number.isFinite(value)) throw new IngestError('not_finite', `a threshold must be a finite number, got ${value}`)
  to.setFloat64(at, value, true)
  return at + 8
}

/** The table name in ASCII, terminated by 0x00. */
export function tableTag(table: string): Buffer {
  return Buffer.from(`${table}\0`, 'latin1')
}

/**
 * The id of one measurement: XXH64 (seed 0) of the table name and the dimensions, as a signed 64-bit integer.
 * @param fields a record whose shape was validated; only its dimensions are used
 * @throws {IngestError} `not_finite` when a threshold is NaN or infinite
 * @see contract section 6
 */
export function measurementId(kind: Kind, fields: ExactObject, hash: Hash64): bigint {
  const parts = dimensionsOf(kind)
    .map(dimension => ({ ...dimension, value: fields[dimension.name] ?? null }))
    .filter(({ conditional, value }) => conditional === undefined || (value !== null && value !== conditional))
  const tag = tableTag(kind.table)
  const texts = parts.map(({ value }) => Buffer.from(typeof value === 'string' ? value : ''))
  const preimage = new Preimage()
  preimage.reserve(tag.length + texts.reduce((all, text) => all + text.length + 9, 0))
  const { view } = preimage
  let at = copyBytes(view, 0, wordView(tag), 0, tag.length)
  for (const [index, { type, optional, value }] of parts.entries()) {
    if (optional && value === null) at = putByte(view, at, 0)
    else if (type === 'i32') at = putI32(view, at, Number(value))
    else if (type === 'f64') at = putF64(view, at, Number(value))
    else {
      if (optional) at = putByte(view, at, 1)
      const text = texts[index]!
      at = putText(view, at, wordView(text), 0, text.length)
    }
  }
  return BigInt.asIntN(64, hash(preimage.bytes(at)))
}
