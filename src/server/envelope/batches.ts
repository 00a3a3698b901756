/** The second pass over the records of a checked body: groups them into batches and computes their measurement ids. */

import { setImmediate } from 'node:timers/promises'
import type { Hash64 } from '../../contract/hash64.js'
import { createIdentifier } from '../../source/identify.js'
import { addRecord } from '../../source/read-record.js'
import { RecordBatch } from '../../source/record-batch.js'
import { RecordWalk } from './walk-records.js'

/** Rows per batch: enough to amortise the cost per batch, few enough that other requests get their turn. */
const BATCH_ROWS = 1024

export type BatchesOptions = {
  /** Offset after the `[` of the records. */
  readonly from: number
  /** The contract version that `checkBody` checked the body against. */
  readonly version: number
  readonly hash: Hash64
}

/** @param bytes a body that `checkBody` accepted */
export async function* recordBatches(
  bytes: Buffer,
  { from, version, hash }: BatchesOptions,
): AsyncGenerator<RecordBatch> {
  const identify = createIdentifier(hash)
  const walk = new RecordWalk(bytes, from, version)
  const batch = new BodyBatch()
  while (walk.end === undefined) {
    batch.reset(bytes, 0)
    await fill(batch, walk)
    identify(batch)
    yield batch
    await setImmediate()
  }
}

async function fill(batch: BodyBatch, walk: RecordWalk): Promise<void> {
  while (batch.count < BATCH_ROWS) {
    const next = walk.next(batch)
    const element = next?.kind === 'unread' ? await walk.readExactly() : next
    if (element === undefined) return
    if (element.kind === 'misshapen') throw new Error(`record ${walk.index} was a record once and not twice`)
    if (element.kind === 'read') addRecord(batch, element.record, { line: walk.index, start: walk.start })
    batch.noteLength(walk.passed - walk.start)
  }
}

/** A batch whose buffer is the whole body, although each record occupies only a small part of it. */
class BodyBatch extends RecordBatch {
  #longest = 0

  noteLength(bytes: number): void {
    this.#longest = Math.max(this.#longest, bytes)
  }

  /** Upper bound for the length of any text in a row, because no text is longer than the record it was read from. */
  override get longestText(): number {
    return this.#longest
  }
}
