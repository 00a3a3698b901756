/** Counts the records in the outbox that are not yet delivered to a target. */

import { readHead } from '../../state/head.js'
import type { Intent } from '../../state/intent.js'
import type { Partition } from '../../state/keys.js'
import { batchesAfter } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import { readWatermark } from '../../state/watermark.js'
import { batchesIn } from './outbox-delivery.js'

/** Number of records in these partitions that the target has not acknowledged. */
export async function countQueuedRecords(
  { storage }: State,
  target: string,
  partitions: readonly Partition[],
): Promise<number> {
  let queued = 0
  for (const partition of partitions) {
    const { watermark } = await readWatermark(storage, { target, partition })
    const { head } = await readHead(storage, partition)
    for (const { records } of batchesAfter(head, watermark.until)) queued += records
  }
  return queued
}

/** Number of records in interrupted deliveries to the target, outside the given partitions. */
export async function countBegunRecords(
  { storage }: State,
  target: string,
  { intents, partitions }: { readonly intents: readonly Intent[]; readonly partitions: readonly Partition[] },
): Promise<number> {
  let begun = 0
  for (const intent of intents) {
    const { partition } = intent
    if (intent.target !== target || partitions.includes(partition)) continue
    const { watermark } = await readWatermark(storage, { target, partition })
    if (watermark.until >= intent.until) continue
    const { head } = await readHead(storage, partition)
    for (const { records } of batchesIn(head.batches, intent)) begun += records
  }
  return begun
}
