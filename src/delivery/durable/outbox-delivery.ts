/** Turns a range of the outbox into a delivery for a sink. */

import type { Hash64 } from '../../contract/hash64.js'
import type { Fence, LineLocation, OutboxDelivery } from '../../source/delivery.js'
import type { LineBlock } from '../../source/lines.js'
import { batchesOrigin, batchGeneration, canDeliverTogether, type Batch } from '../../state/head.js'
import type { Range } from '../../state/intent.js'
import { readLines } from '../../state/lines.js'
import type { State } from '../../state/state.js'
import type { Storage } from '../../storage/storage.js'
import type { RowCache } from '../row-cache.js'
import { versionsAlike } from '../../contract/version-set.js'
import { rowsOf } from '../rows.js'

const LF = 0x0a

/** Limit of records per delivery. A single larger batch is still delivered whole. */
export const MAX_RECORDS = 500_000

/** The leading batches that can form one delivery. */
export function firstRange(batches: readonly Batch[], maxRecords = MAX_RECORDS): readonly Batch[] {
  const [first] = batches
  if (first === undefined) return []
  let records = 0
  const end = batches.findIndex((batch, index) => {
    records += batch.records
    return index > 0 && (records > maxRecords || !canDeliverTogether(batches[index - 1]!, batch))
  })
  return end === -1 ? batches : batches.slice(0, end)
}

export function rangeOf(batches: readonly Batch[], since: number): Range {
  return { since, until: batches.at(-1)?.last ?? since }
}

/** The batches that have records in a range. */
export function batchesIn(batches: readonly Batch[], { since, until }: Range): readonly Batch[] {
  return batches.filter(({ first, last }) => last > since && first <= until)
}

export type RangeOptions = {
  readonly range: Range
  readonly hash: Hash64
  /** Parsed rows kept in memory, by batch id. */
  readonly cache?: RowCache<string> | undefined
  readonly mayDowngrade?: boolean | undefined
  readonly signal: AbortSignal
  /** Throws when another process has taken over the lease. */
  readonly assertHeld: () => Promise<void>
  /** The same for every attempt of the delivery. */
  readonly deliveryId: string
  readonly fence: Fence
}

/** @param batches at least one; all of the same run and commit */
export function deliveryOfRange(
  { storage }: State,
  batches: readonly Batch[],
  { range, hash, cache, mayDowngrade, signal, assertHeld, deliveryId, fence }: RangeOptions,
): OutboxDelivery {
  const { id, run, commit, isForced, pii } = batches[0]!
  const source = sourceOf(batches)
  const origin = batchesOrigin(batches)
  const counts = countsOf(batches)
  const lines = (): AsyncIterable<LineBlock> =>
    unlessAborted(
      readLines(
        storage,
        batches.flatMap(batch => batch.objects),
      ),
      signal,
    )
  return {
    ...{ source, run, commit, range, lines, pii },
    locateLine: (line, byte) => placeOf(storage, batches, { line, byte }),
    counts,
    origin: { sources: [], sourceCount: 0, ...origin, benchmarkId: run.benchmark_id },
    fits: versionsAlike(run.schema_version, counts),
    mayDowngrade: mayDowngrade === true,
    rows: chunkBytes =>
      cache?.rows(
        batches.map(({ id }) => id),
        chunkBytes,
      ) ?? rowsOf(lines(), { name: source, hash }, chunkBytes),
    // Queued lines never change, but a process that lost its lease must not overwrite its successor.
    assertMayCommit: assertHeld,
    // A forced batch counts as the newest when it is applied first, so every delivery of it must have the same id.
    order: {
      deliveryId: isForced === true ? `${id}-${range.until}` : deliveryId,
      ...{ generation: batchGeneration(batches.at(-1)!), fence },
    },
  }
}

/**
 * Finds the source and line that a line of the delivery came from. Counting line feeds suffices, because every batch
 * ends with one.
 */
async function placeOf(
  storage: Storage,
  batches: readonly Batch[],
  place: { readonly line: number; readonly byte: number },
): Promise<LineLocation> {
  let { line, byte } = place
  for (const { source, linesBefore, objects } of batches) {
    let [lines, bytes] = [0, 0]
    for await (const block of readLines(storage, objects)) {
      for (let at = block.bytes.indexOf(LF); at !== -1; at = block.bytes.indexOf(LF, at + 1)) lines++
      bytes += block.bytes.length
    }
    if (line <= lines) return { source, line: linesBefore + line, byte: linesBefore === 0 ? byte : undefined }
    line -= lines
    byte -= bytes
  }
  return { source: sourceOf(batches), line, byte }
}

function sourceOf(batches: readonly Batch[]): string {
  const [first, ...others] = new Set(batches.map(({ source }) => source))
  return others.length === 0 ? (first ?? '') : `${first} and ${others.length} more`
}

function countsOf(batches: readonly Batch[]): ReadonlyMap<string, number> {
  const all = new Map<string, number>()
  for (const { counts } of batches) for (const [kind, count] of counts) all.set(kind, (all.get(kind) ?? 0) + count)
  return all
}

async function* unlessAborted(blocks: AsyncIterable<LineBlock>, signal: AbortSignal): AsyncGenerator<LineBlock> {
  for await (const block of blocks) {
    signal.throwIfAborted()
    yield block
  }
}
