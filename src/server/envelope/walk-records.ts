/**
 * Iterates over the `records` of an envelope. The fast reader reads each record. The exact reader reads those that the
 * fast reader does not accept and those that do not have the shape of the server's contract version.
 */

import { checkShape, type BenchRecord } from '../../contract/validate.js'
import { versionBit, type VersionSet } from '../../contract/version-set.js'
import { readBody, MAX_BODY_DEPTH } from '../../source/exact-json.js'
import { NOT_SCANNED, scanRecord } from '../../source/scan-record.js'
import type { RecordBatch, LinePosition } from '../../source/record-batch.js'
import { INVALID, skipSpace, skipValue } from './skip-value.js'

const COMMA = 0x2c
const CLOSE_LIST = 0x5d
const OPEN = 0x7b

/** A record is two levels deep: inside the envelope and inside the array. */
const RECORD_DEPTH = MAX_BODY_DEPTH - 2

/** One element of the array, by the reader that accepted it. */
export type RecordElement =
  /** The fast reader added the record to the batch. */
  | { readonly kind: 'scanned' }
  /** The exact reader read the record. */
  | { readonly kind: 'read'; readonly record: BenchRecord }
  /** Valid JSON that is not a record of the server's contract version. */
  | { readonly kind: 'misshapen'; readonly message: string }

const SCANNED: RecordElement = { kind: 'scanned' }

/** A cursor over the elements of the array. */
export class RecordWalk {
  /** Index, from 0, of the element that `next` returned last. */
  index = -1
  /** Offset at which that element starts. */
  start = 0
  /** Offset of the comma or bracket that follows that element. */
  passed = 0
  /** Set at the end of the array: the offset after it, or INVALID when the array is not valid JSON. */
  end: number | undefined
  #at: number
  readonly #place: LinePosition = { line: 0, start: 0 }
  readonly #wanted: VersionSet

  /**
   * @param from offset after the array's `[`
   * @param version the contract version that every record must have
   */
  constructor(
    private readonly bytes: Buffer,
    from: number,
    private readonly version: number,
  ) {
    this.#wanted = versionBit(version)
    this.#at = skipSpace(bytes, from)
    if (bytes[this.#at] === CLOSE_LIST) this.end = this.#at + 1
  }

  /**
   * @param batch gets a row when the fast reader accepts the element
   * @returns undefined at the end of the array
   */
  next(batch: RecordBatch): RecordElement | undefined {
    if (this.end !== undefined) return undefined
    const { bytes } = this
    this.index++
    this.start = this.#place.start = this.#at
    this.#place.line = this.index
    // The scanner needs the line feed at the end of the body to stop, so it must not start past the end.
    const after = bytes[this.#at] === OPEN ? scanRecord(bytes, batch, this.#place, endOfElement) : NOT_SCANNED
    if (after !== NOT_SCANNED) {
      if ((batch.fits[batch.count - 1]! & this.#wanted) !== 0) return this.#pass(after, SCANNED)
      // The record has another contract version. The exact reader reports which field is wrong.
      batch.count--
    }
    return this.#readExactly()
  }

  #readExactly(): RecordElement | undefined {
    const { bytes, start, version } = this
    const end = this.#skip()
    if (end === INVALID) return undefined
    return this.#pass(skipSpace(bytes, end), readElement(bytes.subarray(start, end), version))
  }

  /** Skips the remaining elements and checks only that they are valid JSON. */
  skipRest(): void {
    while (this.end === undefined) {
      this.index++
      const end = this.#skip()
      if (end !== INVALID) this.#pass(skipSpace(this.bytes, end), SCANNED)
    }
  }

  #skip(): number {
    const end = skipValue(this.bytes, this.#at, RECORD_DEPTH)
    if (end === INVALID) this.end = INVALID
    return end
  }

  /** @param mark offset at which a comma or the closing bracket is expected */
  #pass(mark: number, element: RecordElement): RecordElement | undefined {
    const char = this.bytes[mark]
    this.passed = mark
    if (char === CLOSE_LIST) this.end = mark + 1
    else if (char === COMMA) this.#at = skipSpace(this.bytes, mark + 1)
    else this.end = INVALID
    return this.end === INVALID ? undefined : element
  }
}

/** @returns the offset of the comma or bracket that follows a record, or NOT_TAKEN when neither does */
function endOfElement(bytes: Buffer, from: number): number {
  const at = skipSpace(bytes, from)
  return bytes[at] === COMMA || bytes[at] === CLOSE_LIST ? at : NOT_SCANNED
}

function readElement(bytes: Buffer, version: number): RecordElement {
  const parsed = readBody(bytes, { maxDepth: RECORD_DEPTH })
  if (!parsed.ok) return { kind: 'misshapen', message: `the record ${parsed.message}` }
  const shape = checkShape(parsed.value, { version })
  return shape.ok ? { kind: 'read', record: shape.value } : { kind: 'misshapen', message: shape.problem.message }
}
