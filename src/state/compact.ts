/**
 * Compaction: merges adjacent small batches of one run and commit, so that a later delivery reads fewer objects and the
 * partition head stays short. Batches are never merged across a watermark or across the end of an intent's range, because
 * deliveries start and end at batch boundaries.
 */

import {
  withPartitionLeases,
  type PartitionLeases,
  type Skipped,
  totalBytes,
  linesObjectsIn,
  totalRecords,
  rewriteBatches,
} from './partition-leases.js'
import { batchesOrigin, canMerge, readHead, type Batch, type Head, type LinesObject } from './head.js'
import { listIntents } from './intent.js'
import { type Partition, newId } from './keys.js'
import { OBJECT_BYTES, readLines, storeLines } from './lines.js'
import { partitions } from './outbox.js'
import type { State } from './state.js'
import { watermarksIn } from './watermark.js'

/** Larger batches are left alone: copying them costs more than the merge saves. */
const SMALL_BYTES = OBJECT_BYTES / 2

export type Compacted = {
  readonly partition: Partition
  readonly batchesBefore: number
  readonly batchesAfter: number
  readonly objectsBefore: number
  readonly objectsAfter: number
  /** Bytes that were copied into new objects. */
  readonly bytes: number
}

export type CompactedOrSkipped = Compacted | ({ readonly partition: Partition } & Skipped)

/**
 * Compacts every partition that has batches to merge and yields one result per such partition.
 * A dry run changes nothing; its `objectsAfter` is an estimate.
 */
export async function* compactOutbox(
  state: State,
  { dryRun }: { readonly dryRun: boolean },
): AsyncGenerator<CompactedOrSkipped> {
  for await (const partition of partitions(state.storage)) {
    const { head } = await readHead(state.storage, partition)
    const runs = mergeableRuns(head, await readBoundaries(state, partition))
    if (runs.length === 0) continue
    if (dryRun) yield compactionResult(partition, head, { runs, objects: runs.length })
    else
      yield {
        partition,
        ...(await withPartitionLeases(state, partition, leases => compactPartition(state, partition, leases))),
      }
  }
}

async function compactPartition(state: State, partition: Partition, leases: PartitionLeases): Promise<Compacted> {
  for (;;) {
    const { head } = await readHead(state.storage, partition)
    const runs = mergeableRuns(head, await readBoundaries(state, partition))
    if (runs.length === 0) return compactionResult(partition, head, { runs, objects: 0 })
    const merged: Batch[] = []
    for (const run of runs) merged.push(mergeRun(run, await copyLines(state, partition, run), newId(state.tools.now())))
    const isRewritten = await rewriteBatches(state, {
      partition,
      leases,
      change: current => replaceMerged(current, { head, runs, merged }),
    })
    if (isRewritten) return compactionResult(partition, head, { runs, objects: linesObjectsIn(merged).length })
    // The copies are left to `sweepUnnamedLines`, because the head may name them: a write can succeed without its answer.
  }
}

function copyLines(state: State, partition: Partition, run: readonly Batch[]): Promise<readonly LinesObject[]> {
  return storeLines(state, partition, readLines(state.storage, linesObjectsIn(run)))
}

/** Sequence numbers that must stay the last of their batch: all watermarks and the ends of all intents' ranges. */
async function readBoundaries({ storage }: State, partition: Partition): Promise<ReadonlySet<number>> {
  const intents = (await listIntents(storage)).filter(intent => intent.partition === partition)
  const ends = intents.flatMap(({ since, until }) => [since, until])
  return new Set([...(await watermarksIn(storage, partition)), ...ends])
}

/** Runs of at least two adjacent batches that can be merged into one. */
function mergeableRuns(
  { batches }: Pick<Head, 'batches'>,
  boundaries: ReadonlySet<number>,
): readonly (readonly Batch[])[] {
  const runs: Batch[][] = []
  for (const batch of batches) {
    const run = runs.at(-1)
    if (run !== undefined && canJoin(run, batch, boundaries)) run.push(batch)
    else runs.push([batch])
  }
  return runs.filter(run => run.length > 1)
}

function canJoin(run: readonly Batch[], batch: Batch, boundaries: ReadonlySet<number>): boolean {
  const last = run.at(-1)!
  return (
    isSmall(last) &&
    isSmall(batch) &&
    canMerge(last, batch) &&
    !boundaries.has(last.last) &&
    totalBytes(run) + totalBytes([batch]) <= OBJECT_BYTES
  )
}

/** False for a batch without records: it still uses one sequence number, which a merged batch could not account for. */
function isSmall(batch: Batch): boolean {
  return batch.records > 0 && totalBytes([batch]) <= SMALL_BYTES
}

function mergeRun(run: readonly Batch[], objects: readonly LinesObject[], id: string): Batch {
  const [first, last] = [run[0]!, run.at(-1)!]
  const [source = '', ...others] = new Set(run.map(batch => batch.source))
  return {
    ...first,
    ...{ id, objects, last: last.last, records: totalRecords(run), counts: sumCounts(run) },
    source: others.length === 0 ? source : `${source} and ${others.length} more`,
    linesBefore: others.length === 0 ? first.linesBefore : 0,
    origin: batchesOrigin(run),
    // The latest time, so that pruning by age removes no line too early.
    at: last.at,
  }
}

function sumCounts(run: readonly Batch[]): ReadonlyMap<string, number> {
  const totals = new Map<string, number>()
  for (const { counts } of run) for (const [kind, count] of counts) totals.set(kind, (totals.get(kind) ?? 0) + count)
  return totals
}

type MergeAttempt = {
  readonly head: Head
  readonly runs: readonly (readonly Batch[])[]
  readonly merged: readonly Batch[]
}

/**
 * The batches of the current head with each merged run replaced.
 * @returns undefined when another process may have swept the copies, or has changed the batches of a run
 */
function replaceMerged(current: Head, { head, runs, merged }: MergeAttempt): readonly Batch[] | undefined {
  const present = new Set(current.batches.map(({ id }) => id))
  if (current.epoch !== head.epoch || !runs.flat().every(({ id }) => present.has(id))) return undefined
  const replacements = new Map(runs.map((run, index) => [run[0]!.id, merged[index]!]))
  const mergedAway = new Set(runs.flatMap(run => run.slice(1).map(({ id }) => id)))
  return current.batches.filter(({ id }) => !mergedAway.has(id)).map(batch => replacements.get(batch.id) ?? batch)
}

type MergeSize = { readonly runs: readonly (readonly Batch[])[]; readonly objects: number }

function compactionResult(partition: Partition, { batches }: Head, { runs, objects }: MergeSize): Compacted {
  const old = runs.flat()
  const objectsBefore = linesObjectsIn(batches).length
  return {
    ...{ partition, batchesBefore: batches.length, batchesAfter: batches.length - old.length + runs.length },
    ...{ objectsBefore, objectsAfter: objectsBefore - linesObjectsIn(old).length + objects, bytes: totalBytes(old) },
  }
}
