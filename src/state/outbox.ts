/** Lines that were taken in, numbered, until every target has them. */

import type { Commit, RunMeta } from '../contract/commit.js'
import { lowestIn, type VersionSet } from '../contract/version-set.js'
import type { LineBlock } from '../source/lines.js'
import { listAll, type Storage } from '../storage/storage.js'
import { retryOnConflict } from './retry-on-conflict.js'
import { readHead, writeHead, type Batch, type Head, type LinesObject, type Position, type StoredHead } from './head.js'
import { linesPrefix, OUTBOX, type Partition } from './keys.js'
import { parseLinesOwner, storeLines } from './lines.js'
import { hasEnded } from './owner.js'
import { timestamp, type State } from './state.js'
import { idTime } from './ulid.js'
import { highestWatermark } from './watermark.js'

/** What is new of one source. */
export type NewLines = {
  /** What its batch will be called; never used before. */
  readonly id: string
  readonly source: string
  readonly linesBefore: number
  readonly records: number
  readonly counts: ReadonlyMap<string, number>
  /** The contract versions that fit all records. */
  readonly fits: VersionSet
  readonly lines: () => AsyncIterable<LineBlock>
  /** Under which name the position is kept, what it was when the source was looked at, and what it is now. */
  readonly position: { readonly name: string; readonly from: Position | undefined; readonly to: Position }
}

export type Origin = { readonly run: RunMeta; readonly commit: Commit }

export type AppendOptions = {
  readonly additions: readonly NewLines[]
  readonly origin: Origin
  /** The head as it was when the sources were looked at: while nobody else writes, it need not be read again. */
  readonly before?: StoredHead
}

/**
 * Takes all of `intakes` in at once: their lines get the next numbers, their positions move.
 * @returns undefined when another process has taken a part of one in meanwhile: look at the sources again
 */
export async function appendToOutbox(
  state: State,
  { additions: intakes, origin, before }: AppendOptions,
): Promise<Head | undefined> {
  const partition = origin.commit.sha
  let known = before
  for (;;) {
    known ??= await readHead(state.storage, partition)
    const { epoch } = known.head
    const stored: (readonly LinesObject[])[] = []
    for (const intake of intakes)
      stored.push(makesBatch(intake) ? await storeLines(state, partition, intake.lines()) : [])
    const result = await retryOnConflict(state, async () => {
      const to = known?.stored === undefined ? await readHeadToWrite(state.storage, partition) : known
      known = undefined
      return commitBatches(state, { additions: intakes, origin, stored, epoch, storedHead: to })
    })
    if (result !== 'swept') {
      if (result === undefined) await deleteObjects(state.storage, stored.flat())
      return result
    }
  }
}

type StoredLines = {
  readonly additions: readonly NewLines[]
  readonly origin: Origin
  readonly stored: readonly (readonly LinesObject[])[]
  readonly epoch: number
  readonly storedHead: StoredHead
}

async function commitBatches(state: State, prepared: StoredLines): Promise<Head | 'swept' | undefined> {
  const { additions: intakes, origin, epoch, storedHead: to } = prepared
  const { head, stored } = to
  // Told as lost although it was done, as a store may whose answer was.
  if (namesAny(head, prepared.stored.flat())) return head
  // Somebody took these lines for those of a process that is gone.
  if (head.epoch !== epoch) return 'swept'
  if (intakes.some(({ position: { name, from } }) => !isSamePosition(head.positions.get(name), from))) return undefined
  const grown = withBatches(head, prepared, state)
  await writeHead(state.storage, origin.commit.sha, { head: grown, stored })
  return grown
}

function namesAny({ batches }: Head, stored: readonly LinesObject[]): boolean {
  const keys = new Set(stored.map(({ key }) => key))
  return batches.some(({ objects }) => objects.some(({ key }) => keys.has(key)))
}

/** A head that was lost must not begin again with numbers that targets are known to have. */
async function readHeadToWrite(storage: Storage, partition: Partition): Promise<StoredHead> {
  const { head, stored } = await readHead(storage, partition)
  if (stored !== undefined) return { head, stored }
  return { head: { ...head, next: (await highestWatermark(storage, partition)) + 1 }, stored }
}

function withBatches(head: Head, { additions: intakes, origin, stored }: StoredLines, state: State): Head {
  const batches: Batch[] = [...head.batches]
  const positions = new Map(head.positions)
  let { next } = head
  for (const [index, intake] of intakes.entries()) {
    const { id, source, linesBefore, records, counts, fits, position } = intake
    positions.set(position.name, position.to)
    if (!makesBatch(intake)) continue
    const [first, last] = [next, next + Math.max(1, records) - 1]
    const objects = stored[index]!
    const run = { ...origin.run, schema_version: lowestIn(fits) }
    const at = timestamp(state)
    batches.push({ ...{ id, first, last, records, counts, source, linesBefore, at }, ...origin, run, objects })
    next = last + 1
  }
  return { ...head, next, batches, positions }
}

/** A source that gained nothing but blank lines has told of its commit before. */
function makesBatch({ records, position }: NewLines): boolean {
  return records > 0 || position.from === undefined
}

function isSamePosition(one: Position | undefined, other: Position | undefined): boolean {
  return one?.bytes === other?.bytes && one?.fingerprint === other?.fingerprint
}

/** Batches with lines after `since`, in order. */
export function batchesAfter({ batches }: Head, since: number): readonly Batch[] {
  // Deliveries start at the end far more often than at the start.
  let from = batches.length
  while (from > 0 && batches[from - 1]!.last > since) from--
  return batches.slice(from)
}

/** Every partition that has an outbox, in the order of their names. */
export async function* partitions(storage: Storage): AsyncGenerator<Partition> {
  let after: string | undefined
  for (;;) {
    const { objects } = await storage.list(OUTBOX, { after, limit: 1 })
    const partition = objects[0]?.key.slice(OUTBOX.length).split('/')[0]
    if (partition === undefined) return
    yield partition
    // Sorts after every key of the partition: the page is skipped, not read.
    after = `${OUTBOX}${partition}/\u{10ffff}`
  }
}

/** An object that no batch names is being written now, or belongs to a process that is gone; this is how old it may be. */
const MAX_UNNAMED_AGE_MS = 15 * 60_000

/**
 * Removes lines that no batch names and whose writer is gone. Who takes them in all the same finds the epoch changed and
 * stores them again; that is why they are listed before the epoch is counted up and only then deleted.
 * @returns how many objects went
 */
export async function sweepUnnamedLines(state: State, partition: Partition): Promise<number> {
  const { storage } = state
  const { head, stored } = await readHead(storage, partition)
  // Of a head that was lost they are all that is left.
  if (stored === undefined && (await highestWatermark(storage, partition)) > 0) return 0
  const named = new Set(head.batches.flatMap(({ objects }) => objects.map(({ key }) => key)))
  const abandoned: { key: string }[] = []
  for await (const { key } of listAll(storage, linesPrefix(partition)))
    if (!named.has(key) && (await isAbandoned(state, key))) abandoned.push({ key })
  if (abandoned.length === 0) return 0
  const swept = await retryOnConflict(state, async () => {
    const { head: now, stored } = await readHeadToWrite(storage, partition)
    await writeHead(storage, partition, { head: { ...now, epoch: now.epoch + 1 }, stored })
    const kept = new Set(now.batches.flatMap(({ objects }) => objects.map(({ key }) => key)))
    return abandoned.filter(({ key }) => !kept.has(key))
  })
  await deleteObjects(storage, swept)
  return swept.length
}

async function isAbandoned({ storage, tools }: State, key: string): Promise<boolean> {
  const body = await storage.get(key)
  if (body === undefined) return false
  return (await hasEnded(parseLinesOwner(body, key))) || tools.now() - idTime(key) > MAX_UNNAMED_AGE_MS
}

async function deleteObjects(storage: Storage, objects: readonly { readonly key: string }[]): Promise<void> {
  for (const { key } of objects) await storage.delete(key)
}
