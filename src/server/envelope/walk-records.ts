/**
 * Iterates over the `records` of an envelope. The fast reader reads each record. The exact reader reads those that the
 * fast reader does not accept and those that do not have the shape of the server's contract version.
 */

import { setImmediate } from 'node:timers/promises'
import { checkShape } from '../../contract/validate.js'
import { versionBit, type VersionSet } from '../../contract/version-set.js'
import { readBody, MAX_BODY_DEPTH } from '../../source/exact-json.js'
import { NOT_SCANNED, scanRecord } from '../../source/scan-record.js'
import type { RecordBatch, LinePosition } from '../../source/record-batch.js'
import { LARGE_RECORD_BYTES, readLargeRecord, type ReadElement } from './large-record.js'
import { INVALID, skipInSteps, skipSpace } from './skip-value.js'

const COMMA = 0x2c
const CLOSE_LIST = 0x5d
const OPEN = 0x7b
const CLOSE = 0x7d

/** A record is two levels deep: inside the envelope and inside the array. */
const RECORD_DEPTH = MAX_BODY_DEPTH - 2

/** One element of the array, by the reader that accepted it. */
export type RecordElement =
  /** The fast reader added the record to the batch. */
  { readonly kind: 'scanned' } | ReadElement

type Unread = { readonly kind: 'unread' }

const UNREAD: Unread = { kind: 'unread' }

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
  /** Offset of a `}` that is at most LARGE_RECORD_BYTES after the start of any element before it. */
  #nextClose = -1
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
    this.#at = this.start = skipSpace(bytes, from)
    if (bytes[this.#at] === CLOSE_LIST) this.end = this.#at + 1
  }

  /**
   * @param batch gets a row when the fast reader accepts the element
   * @returns undefined at the end of the array, `unread` for an element that must be read with `readExactly`
   */
  next(batch: RecordBatch): RecordElement | Unread | undefined {
    if (this.end !== undefined) return undefined
    const { bytes } = this
    this.index++
    this.start = this.#place.start = this.#at
    this.#place.line = this.index
    // The scanner needs the line feed at the end of the body to stop, so it must not start past the end.
    const isScannable = bytes[this.#at] === OPEN && !this.#mayBeLarge()
    const after = isScannable ? scanRecord(bytes, batch, this.#place, endOfElement) : NOT_SCANNED
    if (after !== NOT_SCANNED) {
      if ((batch.fits[batch.count - 1]! & this.#wanted) !== 0) return this.#pass(after, SCANNED)
      // The record has another contract version. The exact reader reports which field is wrong.
      batch.count--
    }
    return UNREAD
  }

  /** Reads the element that `next` left unread. @returns undefined when the array is not valid JSON */
  async readExactly(): Promise<RecordElement | undefined> {
    const { bytes, start, version } = this
    const end = await this.#skip()
    if (end === INVALID) return undefined
    const element =
      end - start > LARGE_RECORD_BYTES && bytes[start] === OPEN
        ? await inTurns(readLargeRecord(bytes, start, { maxDepth: RECORD_DEPTH, version }))
        : readElement(bytes.subarray(start, end), version)
    return this.#pass(skipSpace(bytes, end), element)
  }

  /** Skips the remaining elements and checks only that they are valid JSON. */
  async skipRest(): Promise<void> {
    while (this.end === undefined) {
      this.index++
      const end = await this.#skip()
      if (end !== INVALID) this.#pass(skipSpace(this.bytes, end), SCANNED)
    }
  }

  async #skip(): Promise<number> {
    const end = await inTurns(skipInSteps(this.bytes, this.#at, RECORD_DEPTH))
    if (end === INVALID) this.end = INVALID
    return end
  }

  /**
   * Whether no object ends near the start of this element, so that scanning it might block other requests. A record that
   * has a `}` in a string is not noticed.
   */
  #mayBeLarge(): boolean {
    const at = this.#at
    if (at <= this.#nextClose || at + LARGE_RECORD_BYTES >= this.bytes.length) return false
    this.#nextClose = this.bytes.lastIndexOf(CLOSE, at + LARGE_RECORD_BYTES)
    return this.#nextClose < at
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

/** Runs `steps` to their end. Other requests get a turn after each step. */
async function inTurns<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
    await setImmediate()
  }
}

function readElement(bytes: Buffer, version: number): ReadElement {
  const parsed = readBody(bytes, { maxDepth: RECORD_DEPTH })
  if (!parsed.ok) return { kind: 'misshapen', message: `the record ${parsed.message}` }
  const shape = checkShape(parsed.value, { version })
  return shape.ok ? { kind: 'read', record: shape.value } : { kind: 'misshapen', message: shape.problem.message }
}
