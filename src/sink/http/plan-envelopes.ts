/** Which lines of a file go into which envelope. */

import type { Hash } from 'node:crypto'
import type { LineBlock } from '../../source/lines.js'
import type { ByteRange } from './line-ranges.js'

/** Whole lines of a file with at least one record in them, or none at all for a file without records. */
export type EnvelopePlan = ByteRange & {
  readonly records: number
  /** Names what the envelope says, in hexadecimal digits. */
  readonly key: string
}

/** A line with a record on it. `number` from 1; its bytes include its line feed. */
export type RecordLine = ByteRange & { readonly number: number }

export type PlanOptions = {
  /** For the lines of one envelope, all of them. */
  readonly maxLineBytes: number
  /** Begins an envelope's key. */
  readonly startKey: () => Hash
}

export type FilePlan = {
  readonly envelopes: readonly EnvelopePlan[]
  /** Lines that fit into no envelope. */
  readonly tooLong: readonly RecordLine[]
}

const LF = 0x0a

/** One envelope where the lines fit, else as few as can be. */
export async function planEnvelopes(blocks: AsyncIterable<LineBlock>, options: PlanOptions): Promise<FilePlan> {
  const planner = new Planner(options)
  let number = 0
  for await (const block of blocks) {
    for (const line of splitLines(block, number)) {
      number = line.number
      planner.add(line, block)
    }
    planner.endBlock(block)
  }
  return planner.done()
}

class Planner {
  #envelopes: EnvelopePlan[] = []
  #tooLong: RecordLine[] = []
  #start = 0
  #end = 0
  #records = 0
  #key: Hash
  /** Up to where the records are in the key of their envelope. */
  #keyed = 0

  constructor(private readonly options: PlanOptions) {
    this.#key = options.startKey()
  }

  add(line: RecordLine, block: LineBlock): void {
    const { bytes, firstByte } = block
    if (isBlank(bytes, line.start - firstByte, line.end - firstByte)) return
    const { maxLineBytes } = this.options
    if (line.end - line.start > maxLineBytes) this.#tooLong.push(line)
    if (this.#records > 0 && line.end - this.#start > maxLineBytes) this.#cut(block)
    if (this.#records === 0) this.#start = line.start
    if (line.start !== this.#end) this.#skipBlanks(line, block)
    this.#end = line.end
    this.#records++
  }

  /** The block's bytes go: those of its last records must be in the key. */
  endBlock({ bytes, firstByte }: LineBlock): void {
    if (this.#end > this.#keyed) this.#key.update(bytes.subarray(this.#keyed - firstByte, this.#end - firstByte))
    this.#keyed = this.#end
  }

  done(): FilePlan {
    if (this.#records > 0 || this.#envelopes.length === 0) this.#push()
    return { envelopes: this.#envelopes, tooLong: this.#tooLong }
  }

  /** Blank lines say nothing, so they are in no key. */
  #skipBlanks(line: RecordLine, block: LineBlock): void {
    this.endBlock(block)
    this.#keyed = line.start
  }

  #cut(block: LineBlock): void {
    this.endBlock(block)
    this.#push()
    this.#records = 0
    this.#key = this.options.startKey()
  }

  #push(): void {
    const key = this.#key.digest('hex')
    this.#envelopes.push({ start: this.#start, end: this.#end, records: this.#records, key })
  }
}

/** All lines of a block; the first has the number after `before`. */
export function* splitLines({ bytes, firstByte }: LineBlock, before: number): Generator<RecordLine> {
  let number = before
  for (let at = 0; at < bytes.length;) {
    const next = bytes.indexOf(LF, at) + 1
    yield { number: ++number, start: firstByte + at, end: firstByte + next }
    at = next
  }
}

export function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== LF) return false
  }
  return true
}
