/**
 * Merges small batches that go together, so that a delivery of many pushes reads few objects and a head stays short.
 * Where a target stands, and where a delivery was begun that is to be repeated, a border stays.
 */

import { withPartitionLeases, type PartitionLeases, type Skipped } from './partition-leases.js'
import { canDeliverTogether, readHead, type Batch, type Head, type LinesObject } from './head.js'
import { listIntents } from './intent.js'
import type { Partition } from './keys.js'
import { OBJECT_BYTES, readLines, storeLines } from './lines.js'
import { partitions } from './outbox.js'
import { totalBytes, linesObjectsIn, totalRecords, rewriteBatches } from './rewrite-batches.js'
import type { State } from './state.js'
import { newId } from './ulid.js'
import { watermarksIn } from './watermark.js'

/** What is larger is not copied again for the sake of a few lines beside it. */
const SMALL_BYTES = OBJECT_BYTES / 2

export type Compacted = {
  readonly partition: Partition
  readonly batchesBefore: number
  readonly batchesAfter: number
  readonly objectsBefore: number
  readonly objectsAfter: number
  /** What was read and written anew. */
  readonly bytes: number
}

export type CompactedOrSkipped = Compacted | ({ readonly partition: Partition } & Skipped)

/** Each partition where something is merged, or would be; then the number of objects is what is expected. */
export async function* compact(
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
        ...(await withPartitionLeases(state, partition, hold => compactPartition(state, partition, hold))),
      }
  }
}

async function compactPartition(state: State, partition: Partition, hold: PartitionLeases): Promise<Compacted> {
  for (;;) {
    const { head } = await readHead(state.storage, partition)
    const runs = mergeableRuns(head, await readBoundaries(state, partition))
    if (runs.length === 0) return compactionResult(partition, head, { runs, objects: 0 })
    const merged: Batch[] = []
    for (const run of runs) merged.push(mergeRun(run, await copyLines(state, partition, run), newId(state.tools.now())))
    const isDone = await rewriteBatches(state, {
      partition,
      hold,
      change: now => replaceMerged(now, { head, runs, merged }),
    })
    if (isDone) return compactionResult(partition, head, { runs, objects: linesObjectsIn(merged).length })
    // The copies are left to `sweep`: a head may name them, where it was written and the answer was lost.
  }
}

function copyLines(state: State, partition: Partition, run: readonly Batch[]): Promise<readonly LinesObject[]> {
  return storeLines(state, partition, readLines(state.storage, linesObjectsIn(run)))
}

/** Numbers that must stay the last of a batch. */
async function readBoundaries({ storage }: State, partition: Partition): Promise<ReadonlySet<number>> {
  const intents = (await listIntents(storage)).filter(intent => intent.partition === partition)
  const ends = intents.flatMap(({ since, until }) => [since, until])
  return new Set([...(await watermarksIn(storage, partition)), ...ends])
}

/** Neighbours that become one batch, at least two each. */
export function mergeableRuns(
  { batches }: Pick<Head, 'batches'>,
  borders: ReadonlySet<number>,
): readonly (readonly Batch[])[] {
  const runs: Batch[][] = []
  for (const batch of batches) {
    const run = runs.at(-1)
    if (run !== undefined && canJoin(run, batch, borders)) run.push(batch)
    else runs.push([batch])
  }
  return runs.filter(run => run.length > 1)
}

function canJoin(run: readonly Batch[], batch: Batch, borders: ReadonlySet<number>): boolean {
  const last = run.at(-1)!
  return (
    isSmall(last) &&
    isSmall(batch) &&
    canDeliverTogether(last, batch) &&
    !borders.has(last.last) &&
    totalBytes(run) + totalBytes([batch]) <= OBJECT_BYTES
  )
}

/** A batch without records has a number all the same, which no merged batch could account for. */
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
    // By age nothing goes before it is due.
    at: last.at,
  }
}

function sumCounts(run: readonly Batch[]): ReadonlyMap<string, number> {
  const all = new Map<string, number>()
  for (const { counts } of run) for (const [kind, count] of counts) all.set(kind, (all.get(kind) ?? 0) + count)
  return all
}

type Merging = { readonly head: Head; readonly runs: readonly (readonly Batch[])[]; readonly merged: readonly Batch[] }

/** @returns undefined when the copies may have been swept, as those of a process that is gone, or others are there now */
function replaceMerged(now: Head, { head, runs, merged }: Merging): readonly Batch[] | undefined {
  const present = new Set(now.batches.map(({ id }) => id))
  if (now.epoch !== head.epoch || !runs.flat().every(({ id }) => present.has(id))) return undefined
  const inPlace = new Map(runs.map((run, index) => [run[0]!.id, merged[index]!]))
  const gone = new Set(runs.flatMap(run => run.slice(1).map(({ id }) => id)))
  return now.batches.filter(({ id }) => !gone.has(id)).map(batch => inPlace.get(batch.id) ?? batch)
}

type Merge = { readonly runs: readonly (readonly Batch[])[]; readonly objects: number }

function compactionResult(partition: Partition, { batches }: Head, { runs, objects }: Merge): Compacted {
  const old = runs.flat()
  const objectsBefore = linesObjectsIn(batches).length
  return {
    ...{ partition, batchesBefore: batches.length, batchesAfter: batches.length - old.length + runs.length },
    ...{ objectsBefore, objectsAfter: objectsBefore - linesObjectsIn(old).length + objects, bytes: totalBytes(old) },
  }
}
