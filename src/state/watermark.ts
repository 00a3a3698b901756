/**
 * Watermarks: the highest sequence number of a partition that a target is known to hold, and the lease to move it. Both
 * are one object, changed by compare-and-swap.
 */

import { IngestError } from '../errors.js'
import { listAll, type Storage, type Version } from '../storage/storage.js'
import { retryOnConflict, parseDocument, writeDocument } from './document.js'
import type { Fields } from './fields.js'
import { watermarkKey, watermarksPrefix, type Partition } from './keys.js'
import { parseOwner, type Owner, timestamp, type State } from './state.js'

/** A target id and a partition: the key of a watermark. */
export type TargetPartition = { readonly target: string; readonly partition: Partition }

export type Lease = {
  readonly owner: Owner
  /** Milliseconds since 1970. The owner renews the lease before this time. */
  readonly expiresAt: number
  /** For how long a write of the lease is valid. Undefined in leases of earlier versions of the program. */
  readonly durationMs?: number | undefined
}

export type Watermark = {
  /** A random id, so that a target can tell the watermarks of several states apart; empty before the first lease. */
  readonly id: string
  /** The target holds every line up to and including this sequence number; 0 when nothing is known. */
  readonly until: number
  /** The fencing token: incremented with every lease, so that writes of an earlier owner are refused. */
  readonly fencingToken: number
  readonly lease: Lease | undefined
  /** When the watermark last moved, RFC 3339; empty when it never did. */
  readonly at: string
  /** The number of records up to `until` that were pruned before the target got them. Undefined when there were none. */
  readonly pruned?: { readonly records: number; readonly until: number } | undefined
}

/**
 * The number of records that were pruned before the target got them, so that it cannot get them from the state.
 * @param prunedUntil the last sequence number before the outbox begins
 */
export function prunedRecords({ until, pruned }: Watermark, prunedUntil: number): number {
  return (pruned?.records ?? 0) + Math.max(0, prunedUntil - Math.max(until, pruned?.until ?? 0))
}

/** Records that a target cannot get, because they were pruned before it got them, and the number of their commits. */
export type PrunedBefore = { readonly records: number; readonly partitions: number }

export function prunedText({ records, partitions }: PrunedBefore, target: string): string {
  const counted = (value: number, noun: string): string => `${value} ${noun}${value === 1 ? '' : 's'}`
  const what = `${counted(records, 'record')} of ${counted(partitions, 'commit')}`
  return `${what} were pruned before ${target} got them: push their files again with --full-refresh`
}

/**
 * Returns the watermark moved to `until`. Pruned records below `until` are noted, because the new number would otherwise claim
 * that the target holds them.
 */
export function movedWatermark(watermark: Watermark, until: number, prunedUntil: number): Watermark {
  const records = prunedRecords(watermark, Math.min(prunedUntil, until))
  const known = Math.max(prunedUntil, watermark.pruned?.until ?? 0)
  return { ...watermark, until, pruned: records === 0 ? watermark.pruned : { records, until: known } }
}

export type StoredWatermark = {
  readonly watermark: Watermark
  readonly stored: Version | undefined
  /** True when the object cannot be read. The target then counts as holding nothing; measurement ids prevent duplicates. */
  readonly isDamaged: boolean
}

const NOTHING: Watermark = { id: '', until: 0, fencingToken: 0, lease: undefined, at: '' }

/** Reads a watermark. A missing or damaged one counts as 0. @throws {IngestError} `state_version` */
export function readWatermark(storage: Storage, { partition, target }: TargetPartition): Promise<StoredWatermark> {
  return readAt(storage, watermarkKey(partition, target))
}

async function readAt(storage: Storage, key: string): Promise<StoredWatermark> {
  let stored: Version | undefined
  try {
    const found = await storage.getVersioned(key)
    stored = found?.version
    if (found === undefined) return { watermark: NOTHING, stored, isDamaged: false }
    const watermark = parseDocument(found.body, { key, parse: parseWatermark, storage })
    return { watermark, stored, isDamaged: false }
  } catch (error) {
    if (!(error instanceof IngestError && error.code === 'state_corrupt')) throw error
    return { watermark: NOTHING, stored, isDamaged: true }
  }
}

/** Replaces a watermark that was read before. @throws {VersionConflict} when another process wrote it since */
export async function writeWatermark(
  storage: Storage,
  targetPartition: TargetPartition,
  { watermark, stored, isDamaged }: StoredWatermark,
): Promise<StoredWatermark> {
  const fields = storedFields(targetPartition, watermark)
  const key = watermarkKey(targetPartition.partition, targetPartition.target)
  // A torn object has no version to compare with, so it is deleted first. A process that holds the lease then loses it.
  if (isDamaged && stored === undefined) await storage.delete(key)
  const version = await writeDocument(storage, key, { fields, over: stored })
  return { watermark, stored: version, isDamaged: false }
}

/** The stored document. Its field for the fencing token is called `fence`. */
function storedFields(
  targetPartition: TargetPartition,
  { id, until, fencingToken, lease, at, pruned }: Watermark,
): Readonly<Record<string, unknown>> {
  return { ...targetPartition, id, until, fence: fencingToken, lease: lease ?? null, at, ...(pruned && { pruned }) }
}

/** Moves a watermark back to `until`, so that everything after it is delivered again. Invalidates the current lease. */
export async function rewind(state: State, place: TargetPartition, until: number): Promise<void> {
  await changeAndInvalidate(state, place, watermark =>
    watermark.until <= until ? undefined : { ...watermark, until, pruned: until === 0 ? undefined : watermark.pruned },
  )
}

/**
 * Moves a watermark back to the start of the outbox, because sources are pushed again from their start.
 * @param isComplete whether the outbox now holds every source from its start, so that no pruned record is missing any more
 */
export async function rewindToStart(
  state: State,
  place: TargetPartition,
  { prunedUntil, isComplete }: { readonly prunedUntil: number; readonly isComplete: boolean },
): Promise<void> {
  await changeAndInvalidate(state, place, watermark => {
    const records = isComplete ? 0 : prunedRecords(watermark, prunedUntil)
    return { ...watermark, until: 0, pruned: prunedUntil === 0 ? undefined : { records, until: prunedUntil } }
  })
}

/** @param change returns undefined to leave the watermark as it is */
async function changeAndInvalidate(
  state: State,
  place: TargetPartition,
  change: (watermark: Watermark) => Watermark | undefined,
): Promise<void> {
  await retryOnConflict(state, async () => {
    const found = await readWatermark(state.storage, place)
    const changed = change(found.watermark)
    if (changed === undefined) return
    const watermark = { ...changed, fencingToken: changed.fencingToken + 1, at: timestamp(state) }
    await writeWatermark(state.storage, place, { ...found, watermark })
  })
}

/** The highest watermark of any target; damaged ones count as 0. */
export async function highestWatermark(storage: Storage, partition: Partition): Promise<number> {
  return Math.max(0, ...(await watermarksIn(storage, partition)))
}

/** All watermarks of a partition, also of targets without a record in state; damaged ones count as 0. */
export async function watermarksIn(storage: Storage, partition: Partition): Promise<readonly number[]> {
  const watermarks: number[] = []
  for await (const { key } of listAll(storage, watermarksPrefix(partition)))
    watermarks.push((await readAt(storage, key)).watermark.until)
  return watermarks
}

function parseWatermark(fields: Fields): Watermark {
  return {
    // Watermarks of earlier versions have no id.
    id: fields.optional('id', name => fields.text(name)) ?? '',
    until: fields.count('until'),
    fencingToken: fields.count('fence'),
    at: fields.text('at'),
    lease: fields.optional('lease', name => parseLease(fields.fields(name))),
    pruned: fields.optional('pruned', name => parsePruned(fields.fields(name))),
  }
}

function parsePruned(fields: Fields): Watermark['pruned'] {
  return { records: fields.count('records'), until: fields.count('until') }
}

function parseLease(fields: Fields): Lease {
  return {
    owner: parseOwner(fields.fields('owner')),
    expiresAt: fields.count('expiresAt'),
    durationMs: fields.optional('durationMs', name => fields.count(name)),
  }
}
