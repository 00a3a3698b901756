/** Reads lines that were validated before, and gives each record with the bytes of its line. */

import type { IngestError } from '../errors.js'
import type { LineBlock } from './lines.js'
import type { RecordBatch } from './record-batch.js'
import { readRecords } from './records.js'
import type { Rejection } from './rejection.js'

const LF = 0x0a

/** Records of one block of lines. Valid until the next block is requested, because its memory is reused. */
export type RecordLines = {
  readonly batch: RecordBatch
  /** The line of a row, with its line feed. */
  readonly lineOf: (row: number) => Buffer
}

export type RecordLinesOptions = {
  readonly source: string
  /** Makes the error that is thrown for a line that is no valid record. */
  readonly onRejection: (rejection: Rejection) => IngestError
}

export async function* recordLines(
  lines: AsyncIterable<LineBlock>,
  { source, onRejection }: RecordLinesOptions,
): AsyncGenerator<RecordLines> {
  let block: LineBlock | undefined
  const seen = async function* (): AsyncGenerator<LineBlock> {
    for await (const next of lines) yield (block = next)
  }
  for await (const { batch, rejections } of readRecords(seen(), { source })) {
    const [rejection] = rejections
    if (rejection !== undefined) throw onRejection(rejection)
    const { bytes, firstByte } = block!
    const lineOf = (row: number): Buffer => {
      const start = batch.bytes[row]! - firstByte
      return bytes.subarray(start, bytes.indexOf(LF, start) + 1)
    }
    yield { batch, lineOf }
  }
}
