/** Parses validated lines again into rows with measurement ids, for databases. */

import type { Hash64 } from '../contract/hash64.js'
import { copyChunks } from '../database/copy-text.js'
import type { CopyRows } from '../source/delivery.js'
import { createIdentifier } from '../source/identify.js'
import { lineBlocks, type LineBlock } from '../source/lines.js'
import { readRecords } from '../source/records.js'
import type { RecordBatch } from '../source/record-batch.js'
import { inputChangedError, type Source } from '../source/source.js'

export type RowsOptions = {
  readonly name: string
  readonly hash: Hash64
  /** Sets the ids of the rows. Default: computes them with `hash`. */
  readonly identify?: ((batch: RecordBatch) => void) | undefined
}

/**
 * Parses lines into rows.
 * @param lines lines that were validated before
 * @param chunkBytes approximate size of the returned chunks; default: the sink's
 */
export function rowsOf(
  lines: AsyncIterable<LineBlock>,
  options: RowsOptions,
  chunkBytes?: number,
): AsyncIterable<CopyRows> {
  return copyChunks(identified(lines, options), chunkBytes)
}

async function* identified(
  lines: AsyncIterable<LineBlock>,
  { name, hash, identify = createIdentifier(hash) }: RowsOptions,
): AsyncGenerator<RecordBatch> {
  for await (const { batch, rejections } of readRecords(lines, { source: name })) {
    if (rejections.length > 0) throw inputChangedError(name)
    identify(batch)
    yield batch
  }
}

export async function* linesOf(source: Source, signal: AbortSignal): AsyncGenerator<LineBlock> {
  for await (const block of lineBlocks(await source.open())) {
    signal.throwIfAborted()
    yield block
  }
}
