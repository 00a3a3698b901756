/**
 * The archive target: stores deliveries from the outbox as objects `<table>/<commit>/<since>-<last>`, as gzip or Parquet, with
 * their generation and their origin.
 */

import { IngestError, type ErrorCode } from '../../errors.js'
import type { StorageAddress } from '../../storage/address.js'
import { openBucketStorage } from '../../storage/open-storage.js'
import type { BucketStorage, BucketStorageOptions } from '../../storage/storage.js'
import { lineBlocks } from '../../source/lines.js'
import { assertCounts, sumReceipt, type KindReceipt, type OutboxDelivery } from '../../source/delivery.js'
import type { Sink, SinkOpener } from '../sink.js'
import { formatObjectComment } from './object-comment.js'
import { gzipPacking, packByKind, type Packed, type Packing } from './pack.js'
import { archiveKey } from './object-key.js'
import { openObjectLines } from './object-lines.js'
import { archiveId, describeArchive, stateArchiveId, type ArchiveFormat } from './options.js'

export type ArchiveSinkOptions = BucketStorageOptions & {
  /** The format of new objects. Default: jsonl. */
  readonly format?: ArchiveFormat | undefined
}

export function archiveSink(address: StorageAddress, { format, ...options }: ArchiveSinkOptions = {}): SinkOpener {
  return {
    id: archiveId(address),
    description: describeArchive(address),
    // Opening a folder takes no time, so there is nothing to overlap.
    opensEarly: address.kind === 's3',
    isAppendOnly: true,
    needsOutbox: true,
    open: signal => openArchiveSink(() => openBucketStorage(address, options), { signal, format }),
  }
}

/**
 * An archive in a bucket of the state.
 * @param open opens the bucket. The sink closes the objects that it returns
 */
export function stateArchiveSink(
  bucket: string,
  open: () => Promise<BucketStorage>,
  format?: ArchiveFormat,
): SinkOpener {
  return {
    id: stateArchiveId(bucket),
    description: `the archive in the bucket ${bucket} of the state`,
    opensEarly: false,
    isAppendOnly: true,
    needsOutbox: true,
    open: signal => openArchiveSink(open, { signal, format }),
  }
}

type Writing = { readonly signal?: AbortSignal | undefined; readonly format?: ArchiveFormat | undefined }

async function openArchiveSink(open: () => Promise<BucketStorage>, writing: Writing): Promise<Sink<OutboxDelivery>> {
  writing.signal?.throwIfAborted()
  return archiveIn(await asTargetErrors(open), writing)
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
export function archiveIn(objects: BucketStorage, { signal, format = 'jsonl' }: Writing = {}): Sink<OutboxDelivery> {
  return {
    async write(delivery) {
      const packs = await packByKind(delivery.lines(), delivery.source, await packingFor(format, commentOf(delivery)))
      assertCounts(delivery, kind => packs.find(pack => pack.kind.kind === kind)?.records ?? 0)
      await delivery.assertMayCommit()
      const kinds: KindReceipt[] = []
      for (const pack of packs) {
        signal?.throwIfAborted()
        kinds.push(await asTargetErrors(() => writeTable(objects, archiveKey(pack.kind.table, delivery, format), pack)))
      }
      return sumReceipt(kinds)
    },
    close: () => objects.close(),
  }
}

/** The generation and the origin of a delivery; undefined for a delivery without a generation. */
function commentOf({ order, origin }: OutboxDelivery): string | undefined {
  const generation = order?.generation
  return generation === undefined ? undefined : formatObjectComment(generation, origin)
}

/** Loads only the code of the format that is named. */
async function packingFor(format: ArchiveFormat, comment: string | undefined): Promise<Packing> {
  if (format === 'jsonl') return gzipPacking(comment)
  return (await import('./parquet-object.js')).parquetPacking(comment)
}

async function writeTable(objects: BucketStorage, key: string, { kind, records, body }: Packed): Promise<KindReceipt> {
  const isNew = await store(objects, key, body)
  const updated = isNew ? 0 : records
  return { kind: kind.kind, records, inserted: records - updated, updated, unchanged: updated }
}

/**
 * Writes an object unless it exists.
 * @returns false when the object existed before
 * @throws {IngestError} `target_misconfigured` when the existing object contains different lines
 */
async function store(objects: BucketStorage, key: string, body: Buffer): Promise<boolean> {
  const existing = await objects.get(key)
  // No other process writes the object in the meantime, because the lease of this target and commit is held.
  if (existing === undefined) await objects.put(key, body)
  else if (!existing.equals(body)) await assertHolds({ existing, body, key }, objects)
  return existing === undefined
}

type Found = { readonly existing: Buffer; readonly body: Buffer; readonly key: string }

/**
 * Compares the lines, because another version of a library may compress the same lines differently, and earlier versions
 * of this program wrote no generation. The existing object may have more lines at its start, because the first lines of a retried delivery may have been pruned since.
 */
async function assertHolds({ existing, body, key }: Found, { description }: BucketStorage): Promise<void> {
  const where = `${key} in ${description}`
  const hint = 'give each state its own archive, or move that object away'
  let existingLines: Buffer
  try {
    existingLines = await readLines(existing, key)
  } catch (cause) {
    throw new IngestError('target_misconfigured', `${where} is not a complete object`, { cause, hint })
  }
  const lines = await readLines(body, key)
  if (lines.equals(existingLines.subarray(Math.max(0, existingLines.length - lines.length)))) return
  throw new IngestError('target_misconfigured', `${where} holds other records: another state wrote them`, { hint })
}

async function readLines(body: Buffer, key: string): Promise<Buffer> {
  const { reader } = await openObjectLines(body, { key }, key)
  const chunks: Buffer[] = []
  for await (const { bytes } of lineBlocks(reader)) chunks.push(Buffer.from(bytes))
  return Buffer.concat(chunks)
}
