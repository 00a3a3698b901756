/** A summary of state for people. It changes nothing, and reports objects that cannot be read instead of throwing. */

import { messageOf } from '../errors.js'
import { listAll, type Storage } from '../storage/storage.js'
import { lastAuditKeys, parseAuditRow, type AuditRow } from './audit.js'
import { readDocument } from './document.js'
import type { Fields } from './fields.js'
import { assertHeadReaches, prunedUntil, readHead, type Batch, type Head } from './head.js'
import { parseIntent, type Intent } from './intent.js'
import { INTENTS, isRejectsHead, REJECTS, TARGETS, watermarkKey } from './keys.js'
import { batchesAfter, partitions } from './outbox.js'
import { parseRejects } from './rejects.js'
import { readRegistry, type RegisteredTarget } from './registry.js'
import { parseTargetRecord, type TargetRecord } from './target-record.js'
import { prunedRecords, readWatermark, type PrunedBefore, type TargetPartition, type Watermark } from './watermark.js'

/** Queued records that a target does not have yet. */
export type Lag = {
  readonly target: TargetRecord
  readonly records: number
  readonly bytes: number
  /** Number of commits with records that the target lacks. */
  readonly partitions: number
  /** When the oldest of these records was enqueued, RFC 3339; undefined when the target has everything. */
  readonly oldest: string | undefined
  /** Records that were pruned before the target got them. */
  readonly pruned: PrunedBefore
}

export type StateSummary = {
  readonly partitions: number
  readonly records: number
  readonly bytes: number
  readonly lags: readonly Lag[]
  /** Rejected lines that wait for a repair. */
  readonly rejected: { readonly lines: number; readonly sets: number }
  readonly intents: readonly Intent[]
  readonly audit: readonly AuditRow[]
  /** Messages about objects that could not be read. */
  readonly problems: readonly string[]
}

export async function summarizeState(storage: Storage, auditRows: number): Promise<StateSummary> {
  const problems: string[] = []
  const heads = new Map<string, Head>()
  for await (const partition of partitions(storage))
    for (const { head } of await collectProblems(problems, () => readHead(storage, partition)))
      heads.set(partition, head)
  const lags: Lag[] = []
  for (const target of await allTargets(storage, problems))
    lags.push(await computeLag(storage, target, { heads, problems }))
  const batches = [...heads.values()].flatMap(head => head.batches)
  return {
    partitions: heads.size,
    ...totalSize(batches),
    lags,
    rejected: await countRejected(storage, problems),
    intents: await readDocuments(storage, { keys: keysBelow(storage, INTENTS), parse: parseIntent, problems }),
    audit: byTime(
      await readDocuments(storage, { keys: lastAuditKeys(storage, auditRows), parse: parseAuditRow, problems }),
    ),
    problems,
  }
}

async function countRejected(storage: Storage, problems: string[]): Promise<StateSummary['rejected']> {
  const keys = keysBelow(storage, REJECTS).then(found => found.filter(isRejectsHead))
  const sets = await readDocuments(storage, { keys, parse: parseRejects, problems })
  return { lines: sets.reduce((all, { rejected }) => all + rejected, 0), sets: sets.length }
}

/** Targets with a record in state, and registered targets that get theirs with the next push or drain. */
async function allTargets(storage: Storage, problems: string[]): Promise<readonly TargetRecord[]> {
  const known = await readDocuments(storage, { keys: keysBelow(storage, TARGETS), parse: parseTargetRecord, problems })
  const [registry] = await collectProblems(problems, () => readRegistry(storage))
  const isNew = ({ identity }: RegisteredTarget): boolean => known.every(({ id }) => id !== identity)
  return [...known, ...[...(registry?.targets.values() ?? [])].filter(isNew).map(toTargetRecord)]
}

function toTargetRecord({ identity, kind, address, addedAt }: RegisteredTarget): TargetRecord {
  return { id: identity, kind, description: address, since: addedAt }
}

/** Sorts rows newest first by time, because an id may be that of an intent and older than its row. */
function byTime(rows: readonly AuditRow[]): readonly AuditRow[] {
  return [...rows].sort((left, right) => (left.at < right.at ? 1 : left.at > right.at ? -1 : 0))
}

/** The value that `read` returns as a list of one; an empty list when `read` throws, whose message joins the problems. */
async function collectProblems<T>(problems: string[], read: () => Promise<T>): Promise<readonly T[]> {
  try {
    return [await read()]
  } catch (error) {
    problems.push(messageOf(error))
    return []
  }
}

type ReadQuery<T> = {
  readonly keys: Promise<readonly string[]>
  readonly parse: (fields: Fields) => T
  readonly problems: string[]
}

/** Reads documents by key and leaves out those that cannot be read. */
async function readDocuments<T>(storage: Storage, { keys, parse, problems }: ReadQuery<T>): Promise<readonly T[]> {
  const [existing = []] = await collectProblems(problems, () => keys)
  const found: T[] = []
  for (const key of existing)
    for (const document of await collectProblems(problems, () => readDocument(storage, key, parse)))
      if (document !== undefined) found.push(document.value)
  return found
}

async function keysBelow(storage: Storage, prefix: string): Promise<readonly string[]> {
  return (await listObjects(storage, prefix)).map(({ key }) => key)
}

type OutboxContents = { readonly heads: ReadonlyMap<string, Head>; readonly problems: string[] }

async function computeLag(storage: Storage, target: TargetRecord, { heads, problems }: OutboxContents): Promise<Lag> {
  const behind: (readonly Batch[])[] = []
  const pruned: number[] = []
  for (const [partition, head] of heads)
    for (const watermark of await collectProblems(problems, () =>
      readOrReport(storage, { target: target.id, partition }, problems),
    )) {
      const { until } = watermark
      await collectProblems(problems, async () => assertHeadReaches(storage, head, { partition, until }))
      const batches = batchesAfter(head, until)
      if (batches.length > 0) behind.push(batches)
      const records = prunedRecords(watermark, prunedUntil(head))
      if (records > 0) pruned.push(records)
    }
  const undelivered = behind.flat()
  const oldest = undelivered.map(({ at }) => at).sort()[0]
  const prunedBefore = { records: pruned.reduce((all, records) => all + records, 0), partitions: pruned.length }
  return { target, partitions: behind.length, oldest, pruned: prunedBefore, ...totalSize(undelivered) }
}

async function readOrReport(
  storage: Storage,
  targetPartition: TargetPartition,
  problems: string[],
): Promise<Watermark> {
  const { watermark, isDamaged } = await readWatermark(storage, targetPartition)
  if (isDamaged)
    problems.push(
      `${watermarkKey(targetPartition.partition, targetPartition.target)} in ${storage.description} is damaged: ` +
        `${targetPartition.target} is sent the whole outbox again`,
    )
  return watermark
}

function totalSize(batches: readonly Batch[]): { readonly records: number; readonly bytes: number } {
  const bytes = batches.flatMap(({ objects }) => objects).reduce((sum, object) => sum + object.bytes, 0)
  return { records: batches.reduce((sum, { records }) => sum + records, 0), bytes }
}

/** Key and size of every object whose key begins with `prefix`. */
export async function listObjects(
  storage: Storage,
  prefix: string,
): Promise<readonly { key: string; bytes: number }[]> {
  const objects: { key: string; bytes: number }[] = []
  for await (const object of listAll(storage, prefix)) objects.push(object)
  return objects
}
