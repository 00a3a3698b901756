/** Replaces the batches of a head and deletes the lines that no batch names any more. */

import { EXIT, IngestError } from '../errors.js'
import { retryOnConflict } from './retry-on-conflict.js'
import type { PartitionLeases } from './partition-leases.js'
import { readHead, writeHead, type Batch, type Head, type LinesObject } from './head.js'
import type { Partition } from './keys.js'
import type { State } from './state.js'

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
 * @throws {IngestError} `queued` when a lease was lost before the write
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
