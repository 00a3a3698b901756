/** What state holds, for people: nothing is changed, and what cannot be read is said, not thrown. */

import { messageOf } from '../errors.js'
import { listAll, type Storage } from '../storage/storage.js'
import { lastAuditRows, type AuditRow } from './audit.js'
import { readHead, type Head } from './head.js'
import { listIntents, type Intent } from './intent.js'
import { batchesAfter, partitions } from './outbox.js'
import { knownTargets, type TargetRecord } from './target-record.js'
import { readWatermark } from './watermark.js'

/** What a target does not have yet. */
export type Lag = {
  readonly target: TargetRecord
  readonly records: number
  readonly bytes: number
  /** Commits with something for it. */
  readonly partitions: number
  /** When the oldest of it was taken in, RFC 3339; undefined when it has everything. */
  readonly oldest: string | undefined
}

export type Survey = {
  readonly partitions: number
  readonly records: number
  readonly bytes: number
  readonly lags: readonly Lag[]
  readonly intents: readonly Intent[]
  readonly audit: readonly AuditRow[]
  /** What could not be read. */
  readonly problems: readonly string[]
}

export async function survey(storage: Storage, auditRows: number): Promise<Survey> {
  const problems: string[] = []
  const orNone = async <T>(read: () => Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await read()
    } catch (error) {
      problems.push(messageOf(error))
      return []
    }
  }
  const heads = new Map<string, Head>()
  for await (const partition of partitions(storage))
    for (const head of await orNone(async () => [(await readHead(storage, partition)).head])) heads.set(partition, head)
  const targets = await orNone(() => knownTargets(storage))
  const lags: Lag[] = []
  for (const target of targets) lags.push(...(await orNone(async () => [await lagOf(storage, target, heads)])))
  const batches = [...heads.values()].flatMap(head => head.batches)
  return {
    partitions: heads.size,
    ...sizeOf(batches),
    lags,
    intents: await orNone(() => listIntents(storage)),
    audit: await orNone(() => lastAuditRows(storage, auditRows)),
    problems,
  }
}

async function lagOf(storage: Storage, target: TargetRecord, heads: ReadonlyMap<string, Head>): Promise<Lag> {
  const behind: (readonly Head['batches'][number][])[] = []
  for (const [partition, head] of heads) {
    const { watermark } = await readWatermark(storage, { target: target.name, partition })
    const batches = batchesAfter(head, watermark.until)
    if (batches.length > 0) behind.push(batches)
  }
  const all = behind.flat()
  const oldest = all.map(({ at }) => at).sort()[0]
  return { target, partitions: behind.length, oldest, ...sizeOf(all) }
}

function sizeOf(batches: Head['batches']): { readonly records: number; readonly bytes: number } {
  const bytes = batches.flatMap(({ objects }) => objects).reduce((all, object) => all + object.bytes, 0)
  return { records: batches.reduce((all, { records }) => all + records, 0), bytes }
}

/** Every object's key and size. */
export async function listState(storage: Storage, prefix: string): Promise<readonly { key: string; bytes: number }[]> {
  const all: { key: string; bytes: number }[] = []
  for await (const object of listAll(storage, prefix)) all.push(object)
  return all
}
