/** Finds the line of a file that a record of an envelope came from. */

import type { LineBlock } from '../../source/lines.js'
import type { ByteRange } from './line-ranges.js'
import { isBlank, splitLines, type RecordLine } from './plan-envelopes.js'

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
