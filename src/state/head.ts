/**
 * The head of a partition: its batches and the positions of its sources. Both are one object, so that one
 * compare-and-swap changes them together.
 */

import { formatAncestry, parseAncestry, type MeasuredCommit } from '../contract/ancestry.js'
import { COMMIT_FIELDS, type Commit, type RunMeta } from '../contract/commit.js'
import { formatOrigin, joinOrigins, parseOrigin, type DeliveryOrigin } from '../contract/delivery-origin.js'
import type { CiAttempt, Generation } from '../contract/generation.js'
import { PII_MODES, type PiiMode } from '../contract/pii-mode.js'
import type { Storage, Version } from '../storage/storage.js'
import { corruptStateError, type Fields } from './fields.js'
import { readDocument, writeDocument } from './document.js'
import { headKey, type Partition } from './keys.js'

/** The new lines of one source, enqueued by one push. A batch is delivered as a whole. */
export type Batch = {
  readonly id: string
  /** Sequence numbers, one per record. A batch without records uses one, so that its commit is delivered too. */
  readonly first: number
  readonly last: number
  readonly records: number
  /** Number of records by record kind. */
  readonly counts: ReadonlyMap<string, number>
  /** The source's name in messages, and how many of its lines precede this batch. */
  readonly source: string
  readonly linesBefore: number
  /** When the records began to be read, RFC 3339. */
  readonly at: string
  readonly run: RunMeta
  /** The attempt of the CI run that produced the records; undefined outside of CI. */
  readonly ci?: CiAttempt | undefined
  /** Whether the records replace newer values on purpose. Default: false. */
  readonly isForced?: boolean
  /** Undefined for batches of earlier versions. */
  readonly origin?: DeliveryOrigin | undefined
  readonly commit: MeasuredCommit
  /** The way in which personal data was treated before the batch was enqueued. Default: `keep`. */
  readonly pii?: PiiMode | undefined
  /** Objects that hold the lines, in order. */
  readonly objects: readonly LinesObject[]
}

/** Whether two batches can be delivered as one: they have the same generation, run, contract version and commit metadata. */
export function canDeliverTogether(batch: Batch, next: Batch): boolean {
  return batch.at === next.at && isOfSameRun(batch, next)
}

/**
 * Whether two adjacent batches can be merged into one: they can be delivered together, or are parts of one growing file, which
 * then is as new as its last line. A forced batch is not merged, because the merged one would be forced again.
 */
export function canMerge(batch: Batch, next: Batch): boolean {
  const isGrown = batch.source === next.source && batch.linesBefore < next.linesBefore && batch.isForced !== true
  return canDeliverTogether(batch, next) || (isGrown && isOfSameRun(batch, next))
}

function isOfSameRun(batch: Batch, next: Batch): boolean {
  const common = ({ run, ci, isForced, commit, pii = 'keep' }: Batch): string =>
    JSON.stringify([run.benchmark_id, run.schema_version, ci, isForced === true, commit, pii])
  return common(batch) === common(next)
}

export function batchGeneration({ ci, at, isForced }: Batch): Generation {
  return isForced === true ? { producedAt: at, isForced } : { producedAt: at, ci }
}

/** Where the records of some batches come from; undefined when that is not known of all of them. */
export function batchesOrigin(batches: readonly Batch[]): DeliveryOrigin | undefined {
  const origins = batches.flatMap(({ origin }) => origin ?? [])
  return origins.length === batches.length ? joinOrigins(origins) : undefined
}

/** An object with lines: its key, its size and the SHA-256 of its body in hex. */
export type LinesObject = { readonly key: string; readonly bytes: number; readonly digest: string }

/** How much of a growing file is enqueued. */
export type Position = {
  readonly path: string
  readonly bytes: number
  readonly lines: number
  /** Digest of the first `bytes` bytes. */
  readonly fingerprint: string
  /**
   * File status when the position was recorded. If it is equal, the file is unchanged; if it is empty, the fingerprint decides.
   */
  readonly stat: string
}

export type Head = {
  /**
   * Incremented before lines objects that no head references are deleted. A writer that sees a new epoch stores its lines
   * again.
   */
  readonly epoch: number
  /** The next sequence number. */
  readonly next: number
  /** In order of sequence numbers, without a gap up to `next`. */
  readonly batches: readonly Batch[]
  /** `at` of the last batch that was enqueued, even if it was pruned. Undefined in heads of earlier versions. */
  readonly lastAt?: string | undefined
  /** Positions by source. The caller of `appendToOutbox` chooses the key. */
  readonly positions: ReadonlyMap<string, Position>
}

/** The last sequence number before the outbox begins: everything up to it was pruned. */
export function prunedUntil({ batches, next }: Head): number {
  return (batches[0]?.first ?? next) - 1
}

/** Whether the outbox holds the records of every source from its start. */
export function holdsWholeSources({ batches, positions }: Head): boolean {
  const whole = new Set(batches.filter(({ linesBefore }) => linesBefore === 0).map(({ source }) => source))
  return [...positions.values()].every(({ path }) => whole.has(path))
}

export type StoredHead = { readonly head: Head; readonly stored: Version | undefined }

export const EMPTY_HEAD: Head = { epoch: 0, next: 1, batches: [], positions: new Map() }

/** Reads a partition's head. A new partition has an empty head that is not stored. */
export async function readHead(storage: Storage, partition: Partition): Promise<StoredHead> {
  const found = await readDocument(storage, headKey(partition), parseHead)
  return found === undefined ? { head: EMPTY_HEAD, stored: undefined } : { head: found.value, stored: found.stored }
}

/** Creates or replaces a head. @throws {VersionConflict} when another process wrote it first */
export async function writeHead(
  storage: Storage,
  partition: Partition,
  { head, stored }: StoredHead,
): Promise<StoredHead> {
  const version = await writeDocument(storage, headKey(partition), { fields: headFields(head), over: stored })
  return { head, stored: version }
}

/**
 * Detects a head that was deleted or replaced by an older copy, which would silently leave lines undelivered.
 * @param until a sequence number that was assigned before
 * @throws {IngestError} `state_corrupt` when the head ends before `until`
 */
export function assertHeadReaches(
  { description }: Storage,
  { next }: Head,
  { partition, until }: { readonly partition: Partition; readonly until: number },
): void {
  if (until < next) return
  const assigned = `records up to ${until} were delivered or are in delivery`
  const what =
    next === EMPTY_HEAD.next ? `the head is missing, but ${assigned}` : `the head ends at ${next - 1}, but ${assigned}`
  throw corruptStateError(`${headKey(partition)} in ${description}`, what)
}

function headFields({ epoch, next, lastAt, batches, positions }: Head): object {
  return {
    ...{ epoch, next, lastAt },
    batches: batches.map(({ isForced, origin, commit: { ancestry, ...commit }, ...batch }) => ({
      ...batch,
      ...(origin !== undefined && { origin: formatOrigin(origin) }),
      commit: ancestry === undefined ? commit : { ...commit, ancestry: formatAncestry(ancestry) },
      ...(isForced === true && { forced: true }),
      counts: Object.fromEntries(batch.counts),
    })),
    positions: Object.fromEntries(positions),
  }
}

function parseHead(fields: Fields): Head {
  const head = {
    epoch: fields.count('epoch'),
    next: fields.count('next'),
    lastAt: fields.optional('lastAt', name => fields.text(name)),
    batches: fields.list('batches', parseBatch),
    positions: fields.map('positions', parsePosition),
  }
  assertNoGaps(head, fields.where)
  return head
}

/** @throws {IngestError} `state_corrupt` for a gap, because no target would get the missing lines */
function assertNoGaps({ batches, next }: Head, where: string): void {
  let expected = batches[0]?.first ?? next
  for (const { first, last, records } of batches) {
    if (first !== expected || last - first + 1 !== Math.max(1, records))
      throw corruptStateError(where, 'its sequence numbers have a gap')
    expected = last + 1
  }
  if (expected !== next) throw corruptStateError(where, 'its sequence numbers have a gap')
}

function parseBatch(fields: Fields): Batch {
  return {
    id: fields.text('id'),
    first: fields.count('first'),
    last: fields.count('last'),
    records: fields.count('records'),
    counts: fields.counts('counts'),
    source: fields.text('source'),
    linesBefore: fields.count('linesBefore'),
    at: fields.text('at'),
    run: parseRun(fields.fields('run')),
    ci: fields.optional('ci', name => parseCiAttempt(fields.fields(name))),
    isForced: fields.optional('forced', name => fields.flag(name)) === true,
    origin: fields.optional('origin', name => parseOrigin(fields.text(name))),
    commit: parseCommit(fields.fields('commit')),
    pii: fields.optional('pii', name => fields.word(name, PII_MODES)),
    objects: fields.list('objects', object => ({
      key: object.text('key'),
      bytes: object.count('bytes'),
      digest: object.text('digest'),
    })),
  }
}

function parseRun(fields: Fields): RunMeta {
  return {
    benchmark_id: fields.text('benchmark_id'),
    schema_version: fields.count('schema_version'),
    started_at: fields.text('started_at'),
  }
}

function parseCiAttempt(fields: Fields): CiAttempt {
  return { producer: fields.text('producer'), run: fields.count('run'), attempt: fields.count('attempt') }
}

function parseCommit(fields: Fields): MeasuredCommit {
  const commit = Object.fromEntries(COMMIT_FIELDS.map(name => [name, fields.text(name)])) as Commit
  const ancestry = fields.optional('ancestry', name => parseAncestry(fields.text(name)))
  return ancestry === undefined ? commit : { ...commit, ancestry }
}

function parsePosition(fields: Fields): Position {
  return {
    path: fields.text('path'),
    bytes: fields.count('bytes'),
    lines: fields.count('lines'),
    fingerprint: fields.text('fingerprint'),
    stat: fields.text('stat'),
  }
}
