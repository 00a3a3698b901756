/**
 * Turns blocks of lines into batches of valid records. Every other line becomes a rejection, except blank lines, which
 * are skipped.
 */

import { isUtf8 } from 'node:buffer'
import { ALL_VERSIONS, versionBit, type VersionSet } from '../contract/version-set.js'
import { LINE_LIMITS, skipBlankLines, type LineBlock } from './lines.js'
import { addRecord, readRecord } from './read-record.js'
import { RecordBatch, type LinePosition } from './record-batch.js'
import type { Rejection, Warning } from './rejection.js'
import { NOT_SCANNED, scanRecord } from './scan-record.js'
import { assertRecordFile } from './wrong-format.js'

/** The records and rejections of one block of lines. Valid until the next block is requested. */
export type Records = {
  readonly batch: RecordBatch
  readonly rejections: readonly Rejection[]
  readonly warnings: readonly Warning[]
  /** Number of lines read so far, including blank ones. */
  readonly lines: number
}

const LF = 0x0a
const SPACE = 0x20

export type RecordReaderOptions = {
  /** The name of the source in rejections. */
  readonly source: string
  /** The only contract version whose shapes are accepted. Default: any version. */
  readonly version?: number | undefined
  /** Whether the lines are the rest of a file whose beginning was accepted before. */
  readonly isRest?: boolean | undefined
}

export async function* readRecords(
  blocks: AsyncIterable<LineBlock>,
  options: RecordReaderOptions,
): AsyncGenerator<Records> {
  const reader = new BlockReader(options)
  for await (const block of blocks) yield reader.read(block)
}

class BlockReader {
  #batch = new RecordBatch()
  #rejections: Rejection[] = []
  #warnings: Warning[] = []
  /** One object reused for all lines, because the readers do not keep it. */
  #place: LinePosition = { line: 0, start: 0 }
  readonly #accepted: VersionSet
  /** The versions that fit every record so far. A line that fits no version is checked against one of them. */
  #expected: VersionSet

  /** Whether only blank lines were read so far. */
  #isAtStart = true

  constructor(private readonly options: RecordReaderOptions) {
    this.#accepted = options.version === undefined ? ALL_VERSIONS : versionBit(options.version)
    this.#expected = this.#accepted
  }

  read(block: LineBlock): Records {
    this.#rejections = []
    this.#warnings = []
    this.#batch.reset(block.bytes, block.firstByte)
    if (block.tooLong) this.#refuseTooLong(block)
    else this.#readLines(block)
    if (this.#isAtStart) this.#checkStart(block)
    return { batch: this.#batch, rejections: this.#rejections, warnings: this.#warnings, lines: this.#place.line }
  }

  /** Refuses a file of another format, if its first line is no record. */
  #checkStart({ bytes }: LineBlock): void {
    const [rejection] = this.#rejections
    const isBlank = this.#batch.count === 0 && rejection === undefined
    if (isBlank) return
    this.#isAtStart = false
    const isRejected = rejection !== undefined && (this.#batch.count === 0 || rejection.line < this.#batch.lines[0]!)
    if (isRejected && this.options.isRest !== true) assertRecordFile(this.options.source, bytes, this.#batch.count > 0)
  }

  #readLines(block: LineBlock): void {
    const { bytes } = block
    const length = bytes.length
    // Checked once per block. If the block is not valid UTF-8, the exact reader finds the offending line.
    const scannable = isUtf8(bytes)
    const place = this.#place
    place.start = 0
    for (;;) {
      if (bytes[place.start]! <= SPACE) skipBlankLines(bytes, place)
      if (place.start >= length) return
      place.line++
      const next = scannable ? scanRecord(bytes, this.#batch, place) : NOT_SCANNED
      place.start = next !== NOT_SCANNED && this.#accepts() ? next : this.#readExactly(block)
    }
  }

  /** Removes the last scanned row unless it fits an accepted version. The exact reader then reports the reason. */
  #accepts(): boolean {
    const fits = this.#batch.fits[this.#batch.count - 1]!
    if ((fits & this.#accepted) === 0) {
      this.#batch.count--
      return false
    }
    this.#note(fits)
    return true
  }

  #note(fits: VersionSet): void {
    const expected = this.#expected & fits
    // In a file of mixed versions, the versions of its first lines stay expected.
    if (expected !== 0) this.#expected = expected
  }

  #readExactly(block: LineBlock): number {
    const { start } = this.#place
    const end = block.bytes.indexOf(LF, start)
    const line = block.bytes.subarray(start, end)
    const result = readRecord(line, { version: this.options.version, expected: this.#expected })
    if (result.ok) {
      this.#note(result.record.fits)
      addRecord(this.#batch, result.record, this.#place)
      if (result.inexact !== undefined) this.#warnInexact(result.inexact)
    } else this.#rejections.push({ ...this.#at(block.firstByte + start), ...result.problem })
    return end + 1
  }

  #refuseTooLong(block: LineBlock): void {
    this.#place.line++
    const mebibytes = LINE_LIMITS.maxLineBytes / 1024 / 1024
    const message = `the line is longer than ${mebibytes} MiB`
    this.#rejections.push({ ...this.#at(block.firstByte), pointer: '', code: 'line_too_long', message })
  }

  #warnInexact(token: string): void {
    const pointer = '/threshold'
    const message = `${pointer} ${token.slice(0, 40)} may be read one unit off by a path A server: more than 2^53 of significand or a power of ten beyond ±22`
    this.#warnings.push({
      source: this.options.source,
      line: this.#place.line,
      pointer,
      code: 'inexact_threshold',
      message,
    })
  }

  #at(byte: number): Pick<Rejection, 'source' | 'line' | 'byte'> {
    return { source: this.options.source, line: this.#place.line, byte }
  }
}
