/** Up to which number a target is known to hold a partition, and who may move that: one object, moved by compare-and-swap. */

import { IngestError } from '../errors.js'
import { listAll, type Storage, type Version } from '../storage/storage.js'
import { retryOnConflict } from './retry-on-conflict.js'
import { parseDocument, writeDocument } from './document.js'
import type { Fields } from './fields.js'
import { watermarkKey, watermarksPrefix, type Partition } from './keys.js'
import { parseOwner, type Owner } from './owner.js'
import { timestamp, type State } from './state.js'

/** A target's name and a partition. */
export type TargetPartition = { readonly target: string; readonly partition: Partition }

export type Lease = {
  readonly owner: Owner
  /** Milliseconds since 1970; its owner puts it off while it works. */
  readonly expiresAt: number
}

export type Watermark = {
  /** The target holds every line up to this number; 0 when nothing is known. */
  readonly until: number
  /** Counted up with every lease: what an owner writes that was overtaken is refused. */
  readonly fence: number
  readonly lease: Lease | undefined
  /** When it was moved last, RFC 3339; empty before that. */
  readonly at: string
}

export type StoredWatermark = {
  readonly watermark: Watermark
  readonly stored: Version | undefined
  /** What is there cannot be read, so the target is taken to hold nothing: its ids make what it holds once. */
  readonly isDamaged: boolean
}

const NOTHING: Watermark = { until: 0, fence: 0, lease: undefined, at: '' }

/** @throws {IngestError} `state_version` */
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

/** @throws {VersionConflict} when it is not as it was read */
export async function writeWatermark(
  storage: Storage,
  course: TargetPartition,
  { watermark, stored, isDamaged }: StoredWatermark,
): Promise<StoredWatermark> {
  const fields = { ...course, ...watermark, lease: watermark.lease ?? null }
  const key = watermarkKey(course.partition, course.target)
  // The storage itself found it torn and names no version of it; whoever held its lease finds it lost.
  if (isDamaged && stored === undefined) await storage.delete(key)
  const version = await writeDocument(storage, key, { fields, over: stored })
  return { watermark, stored: version, isDamaged: false }
}

/** Makes it known that a target holds nothing after `until`: what comes after it is delivered again. */
export async function rewind(state: State, course: TargetPartition, until: number): Promise<void> {
  await retryOnConflict(state, async () => {
    const found = await readWatermark(state.storage, course)
    const { watermark } = found
    if (watermark.until <= until) return
    const rewound = { ...watermark, until, fence: watermark.fence + 1, at: timestamp(state) }
    await writeWatermark(state.storage, course, { ...found, watermark: rewound })
  })
}

/** The highest number that some target is known to hold; what cannot be read is not known. */
export async function highestWatermark(storage: Storage, partition: Partition): Promise<number> {
  return Math.max(0, ...(await watermarksIn(storage, partition)))
}

/** Up to where each target is known to hold it, whether or not the target itself is known; 0 for what cannot be read. */
export async function watermarksIn(storage: Storage, partition: Partition): Promise<readonly number[]> {
  const all: number[] = []
  for await (const { key } of listAll(storage, watermarksPrefix(partition)))
    all.push((await readAt(storage, key)).watermark.until)
  return all
}

function parseWatermark(fields: Fields): Watermark {
  return {
    until: fields.count('until'),
    fence: fields.count('fence'),
    at: fields.text('at'),
    lease: fields.optional('lease', name => parseLease(fields.fields(name))),
  }
}

function parseLease(fields: Fields): Lease {
  return { owner: parseOwner(fields.fields('owner')), expiresAt: fields.count('expiresAt') }
}
