/** The bytes that a measurement_id hashes, written in one place, and the id of one record. */

import type { ExactObject } from './exact-value.js'
import type { Hash64 } from './hash64.js'
import { dimensionsOf, type Kind } from './kinds.js'
import { IngestError } from '../errors.js'

/**
 * The hashed bytes of one measurement: table name in ASCII, 0x00, then each dimension in order.
 * A string is its UTF-8 length as u64 little-endian and its bytes; an optional string has 0x00 (absent) or 0x01 before
 * it; an i32 is 4 bytes and an f64 8 bytes, both little-endian.
 * @see contract section 6
 */
export class Preimage {
  #bytes: Buffer = Buffer.alloc(4096)
  #length = 0

  /** Starts anew with a table's tag (see `tableTag`). */
  start(tag: Uint8Array): void {
    this.#length = 0
    this.#append(tag, 0, tag.length)
  }

  absent(): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = 0
  }

  present(): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = 1
  }

  /** A string given as the UTF-8 bytes from `start` to `end`. */
  utf8(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.#reserve(8)
    const to = this.#bytes
    let at = this.#length
    to[at++] = length & 0xff
    to[at++] = (length >>> 8) & 0xff
    to[at++] = (length >>> 16) & 0xff
    to[at++] = length >>> 24
    // No string here is longer than a line, so the upper half is always zero.
    for (let i = 0; i < 4; i++) to[at++] = 0
    this.#length = at
    this.#append(bytes, start, end)
  }

  i32(value: number): void {
    this.#reserve(4)
    this.#length = this.#bytes.writeInt32LE(value, this.#length)
  }

  /** @throws {IngestError} `not_finite` when the value is NaN or infinite */
  f64(value: number): void {
    if (!Number.isFinite(value))
      throw new IngestError('not_finite', `a threshold must be a finite number, got ${value}`)
    this.#reserve(8)
    this.#length = this.#bytes.writeDoubleLE(value, this.#length)
  }

  /** The bytes so far; valid until the next call. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start)
    const to = this.#bytes
    let at = this.#length
    // Dimensions are short: below some 64 bytes a loop is faster than a call into native code.
    for (let from = start; from < end; from++) to[at++] = bytes[from]!
    this.#length = at
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const larger = Buffer.alloc((this.#length + bytes) * 2)
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

/** Table name in ASCII and the 0x00 that ends it. */
export function tableTag(table: string): Uint8Array {
  return Buffer.from(`${table}\0`, 'latin1')
}

/**
 * Id of one measurement: XXH64 (seed 0) of the table tag and the dimensions, as a signed 64-bit integer.
 * @param fields a record whose shape was checked; only its dimensions are read
 * @throws {IngestError} `not_finite` when a threshold is NaN or infinite
 * @see contract section 6
 */
export function measurementId(kind: Kind, fields: ExactObject, hash: Hash64): bigint {
  const preimage = new Preimage()
  preimage.start(tableTag(kind.table))
  for (const { name, type, optional } of dimensionsOf(kind)) {
    const value = fields[name] ?? null
    if (optional && value === null) preimage.absent()
    else if (type === 'i32') preimage.i32(Number(value))
    else if (type === 'f64') preimage.f64(Number(value))
    else {
      if (optional) preimage.present()
      const bytes = Buffer.from(value as string)
      preimage.utf8(bytes, 0, bytes.length)
    }
  }
  return BigInt.asIntN(64, hash(preimage.bytes()))
}
