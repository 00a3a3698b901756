/**
 * The archive target: stores deliveries from the outbox as objects `<table>/<commit>/<since>-<last>.jsonl.gz`, with their
 * generation and their origin as the gzip comment.
 */

import { IngestError, type ErrorCode } from '../../errors.js'
import type { StorageAddress } from '../../storage/address.js'
import { openBucketStorage } from '../../storage/open-storage.js'
import type { BucketStorage, BucketStorageOptions } from '../../storage/storage.js'
import { assertCounts, sumReceipt, type KindReceipt, type OutboxDelivery } from '../../source/delivery.js'
import type { Sink, SinkOpener } from '../sink.js'
import { withGzipComment } from './gzip-comment.js'
import { formatObjectComment } from './object-comment.js'
import { packByKind, type Packed } from './pack.js'
import { archiveKey } from './object-key.js'
import { archiveId, describeArchive, stateArchiveId } from './options.js'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'

export function archiveSink(address: StorageAddress, options: BucketStorageOptions = {}): SinkOpener {
  return {
    id: archiveId(address),
    description: describeArchive(address),
    // Opening a folder takes no time, so there is nothing to overlap.
    opensEarly: address.kind === 's3',
    isAppendOnly: true,
    needsOutbox: true,
    open: signal => openArchiveSink(() => openBucketStorage(address, options), signal),
  }
}

/**
 * An archive in a bucket of the state.
 * @param open opens the bucket. The sink closes the objects that it returns
 */
export function stateArchiveSink(bucket: string, open: () => Promise<BucketStorage>): SinkOpener {
  return {
    id: stateArchiveId(bucket),
    description: `the archive in the bucket ${bucket} of the state`,
    opensEarly: false,
    isAppendOnly: true,
    needsOutbox: true,
    open: signal => openArchiveSink(open, signal),
  }
}

async function openArchiveSink(open: () => Promise<BucketStorage>, signal: AbortSignal): Promise<Sink<OutboxDelivery>> {
  signal.throwIfAborted()
  return archiveIn(await asTargetErrors(open), signal)
}

const TARGET_CODES: ReadonlyMap<ErrorCode, ErrorCode> = new Map([
  ['storage_failed', 'target_failed'],
  ['storage_denied', 'auth_failed'],
])

/** Reports failures of the archive's storage as those of a target, because they are not failures of the state. */
async function asTargetErrors<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    const code = error instanceof IngestError ? TARGET_CODES.get(error.code) : undefined
    if (code === undefined) throw error
    const { message, hint } = error as IngestError
    throw new IngestError(code, message, { cause: error, hint })
  }
}

/**
 * A sink that writes one object per table and delivery. Each object is compressed in memory before it is written. It holds up
 * to half a million records, or one file's records if that file has more. A range that is delivered again finds its own objects
 * and counts as updated, so a retry completes a delivery that was interrupted between two tables.
 */
export function archiveIn(objects: BucketStorage, signal?: AbortSignal): Sink<OutboxDelivery> {
  return {
    async write(delivery) {
      const packs = await packByKind(delivery.lines(), delivery.source)
      assertCounts(delivery, kind => packs.find(pack => pack.kind.kind === kind)?.records ?? 0)
      await delivery.assertMayCommit()
      const kinds: KindReceipt[] = []
      for (const pack of packs) {
        signal?.throwIfAborted()
        kinds.push(await asTargetErrors(() => writeTable(objects, delivery, pack)))
      }
      return sumReceipt(kinds)
    },
    close: () => objects.close(),
  }
}

async function writeTable(
  objects: BucketStorage,
  delivery: OutboxDelivery,
  { kind, records, body }: Packed,
): Promise<KindReceipt> {
  const generation = delivery.order?.generation
  const object =
    generation === undefined ? body : withGzipComment(body, formatObjectComment(generation, delivery.origin))
  const isNew = await store(objects, archiveKey(kind.table, delivery), object)
  const updated = isNew ? 0 : records
  return { kind: kind.kind, records, inserted: records - updated, updated, unchanged: updated }
}

const decompress = promisify(gunzip)

/**
 * Writes an object unless it exists.
 * @returns false when the object existed before
 * @throws {IngestError} `target_misconfigured` when the existing object contains different lines
 */
async function store(objects: BucketStorage, key: string, body: Buffer): Promise<boolean> {
  const existing = await objects.get(key)
  // No other process writes the object in the meantime, because the lease of this target and commit is held.
  if (existing === undefined) await objects.put(key, body)
  else if (!existing.equals(body)) await assertHolds(existing, body, `${key} in ${objects.description}`)
  return existing === undefined
}

/**
 * Compares the uncompressed lines, because another version of zlib may compress the same lines differently, and earlier versions
 * of this program wrote no generation. The existing object may have more lines at its start, because the first lines of a retried delivery may have been pruned since.
 */
async function assertHolds(existing: Buffer, body: Buffer, where: string): Promise<void> {
  const hint = 'give each state its own archive, or move that object away'
  let existingLines: Buffer
  try {
    existingLines = await decompress(existing)
  } catch (cause) {
    throw new IngestError('target_misconfigured', `${where} is not a complete gzip file`, { cause, hint })
  }
  const lines = await decompress(body)
  if (lines.equals(existingLines.subarray(Math.max(0, existingLines.length - lines.length)))) return
  throw new IngestError('target_misconfigured', `${where} holds other records: another state wrote them`, { hint })
}
