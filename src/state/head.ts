/** What a partition's outbox holds, and up to where its sources were taken: one object, so that both change at once. */

import { COMMIT_FIELDS, type Commit, type RunMeta } from '../contract/commit.js'
import type { Storage, Version } from '../storage/storage.js'
import { corruptStateError } from './state-errors.js'
import { readDocument, writeDocument } from './document.js'
import type { Fields } from './fields.js'
import { headKey, type Partition } from './keys.js'

/** One file's new lines as they were taken: they land together. */
export type Batch = {
  readonly id: string
  /** Ingest sequence numbers: one a record, and one for a batch without any, so that its commit is delivered too. */
  readonly first: number
  readonly last: number
  readonly records: number
  /** Records of each kind, by kind name. */
  readonly counts: ReadonlyMap<string, number>
  /** What messages call the file, and how many of its lines came before these. */
  readonly source: string
  readonly linesBefore: number
  /** When it was taken, RFC 3339. */
  readonly at: string
  readonly run: RunMeta
  readonly commit: Commit
  /** The lines, in order. */
  readonly objects: readonly LinesObject[]
}

/** Whether they can be delivered as one: of one commit, as it is known in each, and one run. */
export function canDeliverTogether(one: Batch, other: Batch): boolean {
  return (
    one.run.benchmark_id === other.run.benchmark_id &&
    one.run.schema_version === other.run.schema_version &&
    JSON.stringify(one.commit) === JSON.stringify(other.commit)
  )
}

export type LinesObject = { readonly key: string; readonly bytes: number; readonly digest: string }

/** Up to where a growing file was taken. */
export type Position = {
  readonly path: string
  readonly bytes: number
  readonly lines: number
  /** Of the first `bytes` bytes. */
  readonly fingerprint: string
  /** What the system says of the file as it was then; equal means that nobody has written to it. Empty: ask the bytes. */
  readonly stat: string
}

export type Head = {
  /** Counted up before lines that no batch names are swept, so that a writer notices that its lines may be gone. */
  readonly epoch: number
  /** The next ingest sequence number. */
  readonly next: number
  /** By number; without a gap from the first to `next`. */
  readonly batches: readonly Batch[]
  /** By a name that the taking side gives. */
  readonly positions: ReadonlyMap<string, Position>
}

export type StoredHead = { readonly head: Head; readonly stored: Version | undefined }

export const EMPTY_HEAD: Head = { epoch: 0, next: 1, batches: [], positions: new Map() }

/** An empty one that is not stored where the partition is new. */
export async function readHead(storage: Storage, partition: Partition): Promise<StoredHead> {
  const found = await readDocument(storage, headKey(partition), parseHead)
  return found === undefined ? { head: EMPTY_HEAD, stored: undefined } : { head: found.value, stored: found.stored }
}

/** @throws {VersionConflict} */
export async function writeHead(
  storage: Storage,
  partition: Partition,
  { head, stored }: StoredHead,
): Promise<StoredHead> {
  const version = await writeDocument(storage, headKey(partition), { fields: headFields(head), over: stored })
  return { head, stored: version }
}

/**
 * A head that was lost, or an older one that was put back, would have lines left out without a word.
 * @throws {IngestError} `state_corrupt` when the numbers end before one that is known to have been given
 */
export function assertHeadReaches(
  { description }: Storage,
  { next }: Head,
  { partition, until }: { readonly partition: Partition; readonly until: number },
): void {
  if (until < next) return
  const seen = `records up to ${until} of it were delivered or begun`
  const what = next === EMPTY_HEAD.next ? `it is gone, but ${seen}` : `it ends at ${next - 1}, but ${seen}`
  throw corruptStateError(`${headKey(partition)} in ${description}`, what)
}

function headFields({ epoch, next, batches, positions }: Head): object {
  return {
    epoch,
    next,
    batches: batches.map(batch => ({ ...batch, counts: Object.fromEntries(batch.counts) })),
    positions: Object.fromEntries(positions),
  }
}

function parseHead(fields: Fields): Head {
  const head = {
    epoch: fields.count('epoch'),
    next: fields.count('next'),
    batches: fields.list('batches', parseBatch),
    positions: fields.map('positions', parsePosition),
  }
  assertNoGaps(head, fields.where)
  return head
}

/** A gap would be lines that nobody delivers. */
function assertNoGaps({ batches, next }: Head, where: string): void {
  let expected = batches[0]?.first ?? next
  for (const { first, last, records } of batches) {
    if (first !== expected || last - first + 1 !== Math.max(1, records))
      throw corruptStateError(where, 'its numbers have a gap')
    expected = last + 1
  }
  if (expected !== next) throw corruptStateError(where, 'its numbers have a gap')
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
    commit: parseCommit(fields.fields('commit')),
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

function parseCommit(fields: Fields): Commit {
  return Object.fromEntries(COMMIT_FIELDS.map(name => [name, fields.text(name)])) as Commit
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
