/** Splits a file's lines into envelopes. */

import type { LineBlock } from '../../source/lines.js'
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
  let number = 0
  for await (const block of blocks) {
    for (const line of splitLines(block, number)) {
      number = line.number
      planner.add(line, block)
    }
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

  add(line: RecordLine, block: LineBlock): void {
    const { bytes, firstByte } = block
    if (isBlank(bytes, line.start - firstByte, line.end - firstByte)) return
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

/** Splits a block into lines. @param before number of the line before the block */
function* splitLines({ bytes, firstByte }: LineBlock, before: number): Generator<RecordLine> {
  let number = before
  for (let at = 0; at < bytes.length;) {
    const next = bytes.indexOf(LF, at) + 1
    yield { number: ++number, start: firstByte + at, end: firstByte + next }
    at = next
  }
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== LF) return false
  }
  return true
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
  let [number, left] = [0, index]
  for await (const block of blocks) {
    for (const line of splitLines(block, number)) {
      number = line.number
      if (line.start >= end) return undefined
      const blank = isBlank(block.bytes, line.start - block.firstByte, line.end - block.firstByte)
      if (line.start >= start && !blank && left-- === 0) return line
    }
  }
  return undefined
}
