/** Exclusive work on a partition, such as pruning: leases of all its targets, and replacing its batches. */

import { EXIT, IngestError, messageOf } from '../errors.js'
import type { Partition } from './keys.js'
import { acquireLease, type HeldLease } from './lease.js'
import type { State } from './state.js'
import { targetsBlockingPruning } from './target-record.js'
import { retryOnConflict } from './document.js'
import { readHead, writeHead, type Batch, type Head, type LinesObject } from './head.js'

/** A partition was left alone; `skipped` is the reason, for people. */
export type Skipped = { readonly skipped: string }

/**
 * Runs `work` while this process holds the partition's leases of all targets that block pruning. A delivery reads lines
 * only under the lease of its target, so nobody reads while all leases are held.
 * @returns the reason when another process holds a lease; this function does not wait for leases
 */
export async function withPartitionLeases<T>(
  state: State,
  partition: Partition,
  work: (hold: PartitionLeases) => Promise<T>,
): Promise<T | Skipped> {
  const hold = new PartitionLeases(state, partition)
  try {
    await hold.acquireAll()
    return await work(hold)
  } catch (error) {
    // Not an error: a later run does the same work.
    if (error instanceof IngestError && error.exitCode === EXIT.queued) return { skipped: messageOf(error) }
    throw error
  } finally {
    await hold.release()
  }
}

export class PartitionLeases {
  readonly #leases = new Map<string, HeldLease>()

  constructor(
    private readonly state: State,
    private readonly partition: Partition,
  ) {}

  /**
   * Acquires the leases of all targets that block pruning now and are not held yet. Call it again after the head was
   * rewritten and before lines are deleted: a target registered in between may be reading them. A target registered later
   * reads the new head.
   * @throws {IngestError} `queued` when another process holds one of the leases
   */
  async acquireAll(): Promise<void> {
    const { partition, state } = this
    for (const target of await targetsBlockingPruning(state.storage)) {
      if (this.#leases.has(target)) continue
      this.#leases.set(target, await acquireLease(state, { target, partition }, { waitMs: 0 }))
    }
  }

  /** @throws {IngestError} `queued` when another process took a lease over because this process seemed dead */
  async assertHeld(): Promise<void> {
    for (const lease of this.#leases.values())
      if (!(await lease.isHeld()))
        throw new IngestError('queued', 'another process took over a lease of this partition')
  }

  /** The watermark of each target, by target id. */
  get watermarks(): ReadonlyMap<string, number> {
    return new Map([...this.#leases].map(([target, { until }]) => [target, until]))
  }

  /** Releases all leases. Failures are ignored because a lease expires by itself. */
  async release(): Promise<void> {
    await Promise.all([...this.#leases.values()].map(lease => lease.release().catch(() => undefined)))
  }
}

export type Rewriting = {
  readonly partition: Partition
  readonly leases: PartitionLeases
  /** Returns the new batches, or undefined to change nothing. Called again when another process wrote first. */
  readonly change: (head: Head) => readonly Batch[] | undefined
}

/**
 * Rewrites the batches with one write of the head, so that a killed process leaves the old or the new batches. Objects
 * that the head does not name are then left to `sweepUnnamedLines`.
 * @returns whether the head was changed
 * @throws {IngestError} `kept` when a lease was lost before the write
 */
export async function rewriteBatches(state: State, { partition, leases, change }: Rewriting): Promise<boolean> {
  const { storage } = state
  const unnamed = await retryOnConflict(state, async () => {
    const { head, stored } = await readHead(storage, partition)
    const batches = change(head)
    if (batches === undefined) return undefined
    await leases.assertHeld()
    await writeHead(storage, partition, { head: { ...head, batches }, stored })
    const named = new Set(linesObjectsIn(batches).map(({ key }) => key))
    return linesObjectsIn(head.batches).filter(({ key }) => !named.has(key))
  })
  if (unnamed === undefined) return false
  if (await isSafeToDelete(leases)) for (const { key } of unnamed) await storage.delete(key)
  return true
}

/** Whether no delivery can be reading the old lines. When false, `sweepUnnamedLines` deletes them later. */
async function isSafeToDelete(leases: PartitionLeases): Promise<boolean> {
  try {
    await leases.acquireAll()
    await leases.assertHeld()
    return true
  } catch (error) {
    if (error instanceof IngestError && error.exitCode === EXIT.queued) return false
    throw error
  }
}

/** All objects with lines of the batches, in order. */
export function linesObjectsIn(batches: readonly Batch[]): readonly LinesObject[] {
  return batches.flatMap(({ objects }) => objects)
}

export function totalBytes(batches: readonly Batch[]): number {
  return linesObjectsIn(batches).reduce((sum, { bytes }) => sum + bytes, 0)
}

export function totalRecords(batches: readonly Batch[]): number {
  return batches.reduce((sum, { records }) => sum + records, 0)
}
