/**
 * Pruning: removes batches from the outbox that every known or registered target has. The head stays when its last batch
 * is removed, because it holds the next sequence number and the positions of growing files.
 */

import {
  withPartitionLeases,
  type PartitionLeases,
  type Skipped,
  totalBytes,
  totalRecords,
  rewriteBatches,
} from './partition-leases.js'
import { readHead, type Batch, type Head } from './head.js'
import { deleteIntent, listIntents, type Intent } from './intent.js'
import { type Partition, newId } from './keys.js'
import { audit } from './audit.js'
import { batchesAfter, partitions } from './outbox.js'
import type { State } from './state.js'
import { targetsBlockingPruning } from './target-record.js'
import { readWatermark } from './watermark.js'

export type PruneOptions = {
  /** Also removes batches that are older, even when a target lacks them. */
  readonly olderThanMs: number | undefined
  readonly dryRun: boolean
}

export type Pruned = {
  readonly partition: Partition
  readonly batches: number
  readonly records: number
  readonly bytes: number
  /** Number of removed records that each target lacks and will never get, by target id. */
  readonly lost: ReadonlyMap<string, number>
}

export type PrunedOrSkipped = Pruned | ({ readonly partition: Partition } & Skipped)

/**
 * Prunes every partition and yields one result per partition from which batches are, or in a dry run would be, removed.
 * @throws {IngestError} `state_corrupt`, `state_version` when state that is needed for the decision cannot be read
 */
export async function* pruneOutbox(state: State, options: PruneOptions): AsyncGenerator<PrunedOrSkipped> {
  const targets = await targetsBlockingPruning(state.storage)
  for await (const partition of partitions(state.storage)) {
    const watermarks = await readWatermarks(state, partition, targets)
    const selectBatches = createBatchSelector(state, options, watermarks)
    const intents = await readIntents(state, partition)
    const removed = selectBatches((await readHead(state.storage, partition)).head, intents)
    if (removed.length === 0) continue
    if (options.dryRun) yield pruneResult(partition, removed, watermarks)
    else
      yield {
        partition,
        ...(await withPartitionLeases(state, partition, leases =>
          prunePartition(state, partition, { leases, options }),
        )),
      }
  }
}

type PruneWork = { readonly leases: PartitionLeases; readonly options: PruneOptions }

async function prunePartition(state: State, partition: Partition, { leases, options }: PruneWork): Promise<Pruned> {
  const intents = await readIntents(state, partition)
  const selectBatches = createBatchSelector(state, options, leases.watermarks)
  const { head } = await readHead(state.storage, partition)
  const removed = selectBatches(head, intents)
  const pruned = pruneResult(partition, removed, leases.watermarks)
  // Written before the removal, because a spare row is better than a loss without one.
  if (isLoss(pruned, selectBatches(head, intents, false))) await auditLoss(state, pruned, removed)
  const ids = new Set(removed.map(({ id }) => id))
  await rewriteBatches(state, { partition, leases, change: ({ batches }) => batches.filter(({ id }) => !ids.has(id)) })
  for (const intent of intents) await discardIfNothingRemains(state, intent, { head, removed, leases })
  return pruned
}

type BatchSelector = (head: Head, intents: readonly Intent[], byAge?: boolean) => readonly Batch[]

/**
 * Returns a function that selects the batches to remove: those that every target has and, with `byAge`, older ones. The
 * selection is always a prefix, so that the remaining sequence numbers have no gap.
 */
function createBatchSelector(
  { tools }: State,
  { olderThanMs }: PruneOptions,
  watermarks: ReadonlyMap<string, number>,
): BatchSelector {
  return ({ batches }, intents, byAge = olderThanMs !== undefined) => {
    const deliveredUntil = deliveredEverywhereUntil(watermarks, intents)
    const removedBefore = byAge && olderThanMs !== undefined ? tools.now() - olderThanMs : -Infinity
    const firstKept = batches.findIndex(({ last, at }) => last > deliveredUntil && !(Date.parse(at) < removedBefore))
    return firstKept === -1 ? batches : batches.slice(0, firstKept)
  }
}

/**
 * The highest sequence number that every target has and no open intent still needs. 0 when no target is known, because
 * then the list of targets may have been lost.
 */
function deliveredEverywhereUntil(watermarks: ReadonlyMap<string, number>, intents: readonly Intent[]): number {
  if (watermarks.size === 0) return 0
  const openIntents = intents.filter(({ target, until }) => until > (watermarks.get(target) ?? 0))
  return Math.min(...watermarks.values(), ...openIntents.map(({ since }) => since))
}

async function readWatermarks(
  { storage }: State,
  partition: Partition,
  targets: ReadonlySet<string>,
): Promise<ReadonlyMap<string, number>> {
  const watermarks = new Map<string, number>()
  for (const target of targets)
    watermarks.set(target, (await readWatermark(storage, { target, partition })).watermark.until)
  return watermarks
}

async function readIntents({ storage }: State, partition: Partition): Promise<readonly Intent[]> {
  return (await listIntents(storage)).filter(intent => intent.partition === partition)
}

function pruneResult(partition: Partition, removed: readonly Batch[], watermarks: ReadonlyMap<string, number>): Pruned {
  const lost = [...watermarks].flatMap(([target, until]) => {
    const records = totalRecords(removed.filter(({ last }) => last > until))
    return records === 0 ? [] : [[target, records] as const]
  })
  const sizes = { batches: removed.length, records: totalRecords(removed), bytes: totalBytes(removed) }
  return { partition, ...sizes, lost: new Map(lost) }
}

function isLoss({ batches }: Pruned, delivered: readonly Batch[]): boolean {
  return batches > delivered.length
}

async function auditLoss(state: State, { partition, records, lost }: Pruned, removed: readonly Batch[]): Promise<void> {
  const losses = [...lost].map(([target, count]) => `${target} never gets ${count} of them`)
  await audit(state, {
    ...{ id: newId(state.tools.now()), event: 'pruned', target: [...lost.keys()].join(', '), partition },
    ...{ since: removed[0]!.first - 1, until: removed.at(-1)!.last },
    detail: [`${records} records were removed by age`, ...losses].join('; '),
  })
}

type Removal = { readonly head: Head; readonly removed: readonly Batch[]; readonly leases: PartitionLeases }

/** Discards an intent whose lines were all removed, because its delivery cannot be recovered. */
async function discardIfNothingRemains(
  state: State,
  intent: Intent,
  { head, removed, leases }: Removal,
): Promise<void> {
  const { id, target, partition, since, until } = intent
  const watermark = leases.watermarks.get(target)
  const wasRemoved = removed.some(({ first, last }) => last > since && first <= until)
  const remaining = batchesAfter(head, Math.max(since, removed.at(-1)?.last ?? 0)).filter(({ first }) => first <= until)
  if (!wasRemoved || watermark === undefined || until <= watermark || remaining.length > 0) return
  const detail = 'its lines were removed by age'
  await audit(state, { id, event: 'discarded', target, partition, since, until, detail })
  await deleteIntent(state.storage, intent)
}
