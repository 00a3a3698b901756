/** Counts the records of a commit that a target of the state still lacks. */

import { listAll, type Storage } from '../storage/storage.js'
import { readDocument } from './document.js'
import { readHead } from './head.js'
import { parseIntent } from './intent.js'
import { INTENTS, TARGETS, type Partition } from './keys.js'
import { batchesAfter } from './outbox.js'
import { readRegistry } from './registry.js'
import { parseTargetRecord } from './target-record.js'
import { readWatermark } from './watermark.js'

/**
 * The largest number of records of a partition that any target lacks. Records of an interrupted delivery count, too. Without any
 * target, all records are queued.
 */
export async function queuedRecords(storage: Storage, partition: Partition): Promise<number> {
  const { head } = await readHead(storage, partition)
  const targets = await targetIds(storage)
  const lags = targets.length === 0 ? [head.batches] : []
  for (const target of targets) {
    const { watermark } = await readWatermark(storage, { target, partition })
    lags.push(batchesAfter(head, watermark.until))
  }
  const counts = lags.map(batches => batches.reduce((sum, { records }) => sum + records, 0))
  return Math.max(0, ...counts, await interruptedRecords(storage, partition))
}

async function targetIds(storage: Storage): Promise<readonly string[]> {
  const ids = new Set([...(await readRegistry(storage)).targets.values()].map(({ identity }) => identity))
  for await (const { key } of listAll(storage, TARGETS)) {
    const target = await readDocument(storage, key, parseTargetRecord)
    if (target !== undefined) ids.add(target.value.id)
  }
  return [...ids]
}

async function interruptedRecords(storage: Storage, partition: Partition): Promise<number> {
  let most = 0
  for await (const { key } of listAll(storage, INTENTS)) {
    const intent = await readDocument(storage, key, parseIntent)
    if (intent?.value.partition === partition) most = Math.max(most, intent.value.until - intent.value.since)
  }
  return most
}
