/** The outbox: enqueued lines with sequence numbers, stored until every target has them. */

import type { MeasuredCommit } from '../contract/ancestry.js'
import type { RunMeta } from '../contract/commit.js'
import type { DeliveryOrigin, SourceRange } from '../contract/delivery-origin.js'
import type { CiAttempt } from '../contract/generation.js'
import type { PiiMode } from '../contract/pii-mode.js'
import { lowestIn, type VersionSet } from '../contract/version-set.js'
import type { LineBlock } from '../source/lines.js'
import { listAll, type Storage } from '../storage/storage.js'
import { retryOnConflict } from './document.js'
import { readHead, writeHead, type Batch, type Head, type LinesObject, type Position, type StoredHead } from './head.js'
import { linesPrefix, OUTBOX, type Partition, idTime } from './keys.js'
import { parseLinesOwner, storeLines } from './lines.js'
import { hasEnded, type State } from './state.js'
import { highestWatermark } from './watermark.js'

/** New lines of one source, and how far the source is enqueued with them. */
export type NewLines = {
  /** Id of the new batch; must be unused. */
  readonly id: string
  readonly source: string
  readonly linesBefore: number
  readonly records: number
  readonly counts: ReadonlyMap<string, number>
  /** The contract versions that fit all records. */
  readonly fits: VersionSet
  readonly lines: () => AsyncIterable<LineBlock>
  /** The part of the source that the lines are. */
  readonly range?: SourceRange | undefined
  /** Name of the stored position, its value when the source was read (`from`), and its new value (`to`). */
  readonly position: { readonly name: string; readonly from: Position | undefined; readonly to: Position }
}

export type Origin = {
  readonly run: RunMeta
  /** The attempt of the CI run that produced the records; undefined outside of CI. */
  readonly ci?: CiAttempt | undefined
  /** Whether the records replace newer values on purpose. Default: false. */
  readonly isForced?: boolean
  /** The part of the origin that all lines share. */
  readonly shared?: Omit<DeliveryOrigin, 'sources' | 'sourceCount'> | undefined
  readonly commit: MeasuredCommit
  /** The way in which personal data in the commit and the lines was treated. Default: `keep`. */
  readonly pii?: PiiMode | undefined
}

export type AppendOptions = {
  readonly additions: readonly NewLines[]
  readonly origin: Origin
  /** When the sources began to be read, in milliseconds since 1970. Default: now. */
  readonly readAtMs?: number | undefined
  /** The head that was read before the sources; saves reading it again unless another process has written it. */
  readonly before?: StoredHead
}

/**
 * Appends lines of several sources with one write of the head: all lines get sequence numbers and all positions move, or
 * nothing changes.
 * @returns the new head; undefined when another process moved one of the positions, so that the sources must be read again
 */
export async function appendToOutbox(
  state: State,
  { additions, origin, before, readAtMs }: AppendOptions,
): Promise<Head | undefined> {
  const partition = origin.commit.sha
  let known = before
  for (;;) {
    known ??= await readHead(state.storage, partition)
    const { epoch } = known.head
    const stored: (readonly LinesObject[])[] = []
    for (const addition of additions)
      stored.push(makesBatch(addition) ? await storeLines(state, partition, addition.lines()) : [])
    const result = await retryOnConflict(state, async () => {
      const storedHead = known?.stored === undefined ? await readHeadToWrite(state.storage, partition) : known
      known = undefined
      return commitBatches(state, { additions, origin, stored, epoch, storedHead, readAtMs })
    })
    if (result !== 'swept') {
      if (result === undefined) await deleteObjects(state.storage, stored.flat())
      return result
    }
  }
}

type AppendAttempt = Pick<AppendOptions, 'readAtMs'> & {
  readonly additions: readonly NewLines[]
  readonly origin: Origin
  readonly stored: readonly (readonly LinesObject[])[]
  readonly epoch: number
  readonly storedHead: StoredHead
}

async function commitBatches(state: State, prepared: AppendAttempt): Promise<Head | 'swept' | undefined> {
  const { additions, origin, epoch, storedHead } = prepared
  const { head, stored } = storedHead
  // An earlier write succeeded although the storage reported a conflict, because its answer was lost.
  if (namesAny(head, prepared.stored.flat())) return head
  // Another process swept unnamed lines, perhaps these.
  if (head.epoch !== epoch) return 'swept'
  if (additions.some(({ position: { name, from } }) => !isSamePosition(head.positions.get(name), from)))
    return undefined
  const grown = withBatches(head, prepared, state)
  await writeHead(state.storage, origin.commit.sha, { head: grown, stored })
  return grown
}

function namesAny({ batches }: Head, stored: readonly LinesObject[]): boolean {
  const keys = new Set(stored.map(({ key }) => key))
  return batches.some(({ objects }) => objects.some(({ key }) => keys.has(key)))
}

/** Reads the head. A missing head starts after the highest watermark, so that no sequence number is assigned twice. */
async function readHeadToWrite(storage: Storage, partition: Partition): Promise<StoredHead> {
  const { head, stored } = await readHead(storage, partition)
  if (stored !== undefined) return { head, stored }
  return { head: { ...head, next: (await highestWatermark(storage, partition)) + 1 }, stored }
}

function withBatches(
  head: Head,
  { additions, origin: { shared, ...origin }, stored, readAtMs }: AppendAttempt,
  state: State,
): Head {
  const batches: Batch[] = [...head.batches]
  const positions = new Map(head.positions)
  const at = readTime(state, readAtMs, head)
  let { next } = head
  for (const [index, addition] of additions.entries()) {
    const { id, source, linesBefore, records, counts, fits, position, range } = addition
    positions.set(position.name, position.to)
    if (!makesBatch(addition)) continue
    const [first, last] = [next, next + Math.max(1, records) - 1]
    const objects = stored[index]!
    const run = { ...origin.run, schema_version: lowestIn(fits) }
    const sources = range === undefined ? undefined : { sources: [range], sourceCount: 1 }
    const from = sources && { origin: { ...shared, ...sources } }
    batches.push({ ...{ id, first, last, records, counts, source, linesBefore, at }, ...origin, ...from, run, objects })
    next = last + 1
  }
  return { ...head, next, batches, positions, ...(next > head.next && { lastAt: at }) }
}

/**
 * When the records were read, or a time after that of the last batch. Generations thus follow the sequence numbers, which say
 * better than the clocks of two machines what is newer.
 */
function readTime(state: State, readAtMs: number | undefined, { batches, lastAt }: Head): string {
  const last = Date.parse(lastAt ?? batches.at(-1)?.at ?? '')
  const now = readAtMs ?? state.tools.now()
  return new Date(last > now ? last + 1 : now).toISOString()
}

/** False for a known source that gained only blank lines: its commit was delivered before. */
function makesBatch({ records, position }: NewLines): boolean {
  return records > 0 || position.from === undefined
}

function isSamePosition(left: Position | undefined, right: Position | undefined): boolean {
  return left?.bytes === right?.bytes && left?.fingerprint === right?.fingerprint
}

/** Batches with sequence numbers greater than `since`, in order. */
export function batchesAfter({ batches }: Head, since: number): readonly Batch[] {
  // Searched from the end, because most deliveries need only the last batches.
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
    // Sorts after every key of the partition, so that its other keys are not listed.
    after = `${OUTBOX}${partition}/\u{10ffff}`
  }
}

/** An object that no batch names and that is older was left by a process that is gone. Younger ones may be in use. */
const MAX_UNNAMED_AGE_MS = 15 * 60_000

/**
 * Deletes objects with lines that no batch names and whose writer is gone. The steps are: list the objects, increment the
 * epoch, delete. A writer that is alive after all finds the epoch changed and stores its lines again.
 * @returns the number of deleted objects
 */
export async function sweepUnnamedLines(state: State, partition: Partition): Promise<number> {
  const { storage } = state
  const { head, stored } = await readHead(storage, partition)
  // The head was lost: these lines are all that remains, so they are not deleted.
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
