/** Splits a file's lines into envelopes. */

import { skipBlankLines, type LineBlock } from '../../source/lines.js'
import type { LinePosition } from '../../source/record-batch.js'
import type { ByteRange } from './line-ranges.js'

/** The lines of one envelope: complete lines with at least one record. A file without records has one empty envelope. */
export type EnvelopePlan = ByteRange & { readonly records: number }

/** A line of the file. `number` counts from 1. The byte range includes the line feed. */
export type RecordLine = ByteRange & { readonly number: number }

export type PlanOptions = {
  /** Maximum total size of the lines of one envelope. */
  readonly maxLineBytes: number
}

export type FilePlan = {
  readonly envelopes: readonly EnvelopePlan[]
  /** Lines that exceed the size of an envelope. */
  readonly tooLong: readonly RecordLine[]
}

const LF = 0x0a

/** Plans as few envelopes as possible for the lines of a file. */
export async function planEnvelopes(blocks: AsyncIterable<LineBlock>, options: PlanOptions): Promise<FilePlan> {
  const planner = new Planner(options)
  const place = { line: 0, start: 0 }
  for await (const block of blocks) {
    for (const line of recordLines(block, place)) planner.add(line)
  }
  return planner.finish()
}

class Planner {
  #envelopes: EnvelopePlan[] = []
  #tooLong: RecordLine[] = []
  #start = 0
  #end = 0
  #records = 0

  constructor(private readonly options: PlanOptions) {}

  add(line: RecordLine): void {
    const { maxLineBytes } = this.options
    if (line.end - line.start > maxLineBytes) this.#tooLong.push(line)
    if (this.#records > 0 && line.end - this.#start > maxLineBytes) this.#push()
    if (this.#records === 0) this.#start = line.start
    this.#end = line.end
    this.#records++
  }

  finish(): FilePlan {
    if (this.#records > 0 || this.#envelopes.length === 0) this.#push()
    return { envelopes: this.#envelopes, tooLong: this.#tooLong }
  }

  #push(): void {
    this.#envelopes.push({ start: this.#start, end: this.#end, records: this.#records })
    this.#records = 0
  }
}

/** The lines of a block that are not blank. @param place counts the lines of all blocks so far */
function* recordLines({ bytes, firstByte }: LineBlock, place: LinePosition): Generator<RecordLine> {
  place.start = 0
  for (skipBlankLines(bytes, place); place.start < bytes.length; skipBlankLines(bytes, place)) {
    const { start } = place
    place.start = bytes.indexOf(LF, start) + 1
    yield { number: ++place.line, start: firstByte + start, end: firstByte + place.start }
  }
}

/**
 * Finds a record's line in the file.
 * @param blocks the file's lines from its start
 * @param envelope the bytes of the file that the envelope contains
 * @param index index of the record in its envelope, from 0
 * @returns undefined when the envelope has no such record
 */
export async function locateRecord(
  blocks: AsyncIterable<LineBlock>,
  { start, end }: ByteRange,
  index: number,
): Promise<RecordLine | undefined> {
  const place = { line: 0, start: 0 }
  let left = index
  for await (const block of blocks) {
    for (const line of recordLines(block, place)) {
      if (line.start >= end) return undefined
      if (line.start >= start && left-- === 0) return line
    }
  }
  return undefined
}
