/** Changes which lines a head names, and removes those that it names no longer. */

import { EXIT, IngestError } from '../errors.js'
import { retryOnConflict } from './retry-on-conflict.js'
import type { PartitionLeases } from './partition-leases.js'
import { readHead, writeHead, type Batch, type Head, type LinesObject } from './head.js'
import type { Partition } from './keys.js'
import type { State } from './state.js'

export type Rewriting = {
  readonly partition: Partition
  readonly hold: PartitionLeases
  /** The batches that take the place of a head's; undefined to leave it as it is. Asked again when another write was first. */
  readonly change: (head: Head) => readonly Batch[] | undefined
}

/**
 * One write of the head decides; whatever ends the process, what is there is the old or the new, and objects that no
 * head names, which `sweep` removes.
 * @returns whether it was changed
 * @throws {IngestError} `kept` when a lease was lost before that
 */
export async function rewriteBatches(state: State, { partition, hold, change }: Rewriting): Promise<boolean> {
  const { storage } = state
  const unnamed = await retryOnConflict(state, async () => {
    const { head, stored } = await readHead(storage, partition)
    const batches = change(head)
    if (batches === undefined) return undefined
    await hold.assertHeld()
    await writeHead(storage, partition, { head: { ...head, batches }, stored })
    const named = new Set(linesObjectsIn(batches).map(({ key }) => key))
    return linesObjectsIn(head.batches).filter(({ key }) => !named.has(key))
  })
  if (unnamed === undefined) return false
  if (await isSafeToDelete(hold)) for (const { key } of unnamed) await storage.delete(key)
  return true
}

/** Where it is not known, they are left to `sweep`. */
async function isSafeToDelete(hold: PartitionLeases): Promise<boolean> {
  try {
    await hold.acquireAll()
    await hold.assertHeld()
    return true
  } catch (error) {
    if (error instanceof IngestError && error.exitCode === EXIT.kept) return false
    throw error
  }
}

export function linesObjectsIn(batches: readonly Batch[]): readonly LinesObject[] {
  return batches.flatMap(({ objects }) => objects)
}

export function totalBytes(batches: readonly Batch[]): number {
  return linesObjectsIn(batches).reduce((all, { bytes }) => all + bytes, 0)
}

export function totalRecords(batches: readonly Batch[]): number {
  return batches.reduce((all, { records }) => all + records, 0)
}
