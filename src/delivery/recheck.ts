/** `verify --state`: compares what watermarks claim with what targets hold, commit by commit, and moves watermarks back. */

import { isNewerGeneration } from '../contract/generation.js'
import { CONTRACT } from '../contract/kinds.js'
import { IngestError } from '../errors.js'
import type { PiiOptions } from '../pii/pii-filter.js'
import { chunkReader } from '../source/byte-reader.js'
import type { Source } from '../source/source.js'
import { audit } from '../state/audit.js'
import { batchGeneration, readHead, type Batch, type Head } from '../state/head.js'
import { newId, type Partition } from '../state/keys.js'
import { readLines } from '../state/lines.js'
import { partitions } from '../state/outbox.js'
import type { State } from '../state/state.js'
import { readWatermark, rewind, type TargetPartition } from '../state/watermark.js'
import type { OpenRows, StoredRows } from './stored-rows.js'
import { verify, type Difference } from './verify.js'

export type RecheckTarget = {
  readonly name: string
  readonly kind: string
  /** The target id. */
  readonly id: string
  /** Opens the rows of the target; a string is the reason why the rows cannot be read. */
  readonly openRows: (() => Promise<OpenRows>) | string
  /** The way in which personal data is treated on its way from the outbox to the target. */
  readonly pii?: PiiOptions | undefined
}

export type RecheckOptions = {
  readonly state: State
  readonly targets: readonly RecheckTarget[]
  /**
   * Moves the watermark of each commit with missing rows back, so that the next drain delivers them. In a target that orders
   * deliveries also for rows with another value: the next drain replaces those that no newer delivery wrote.
   */
  readonly rewind: boolean
  readonly signal: AbortSignal
}

/** The comparison of one commit in one target. */
export type CommitRecheck = {
  readonly commit: Partition
  /** Number of measurements that were compared. */
  readonly compared: number
  /** Number of measurements that the target lacks, plus 1 when it lacks the commit. */
  readonly missing: number
  /** Number of measurements with another value that no delivery of a newer generation is known to have written. */
  readonly different: number
  /** Number of measurements with another value that a delivery of a newer generation wrote, which is no difference. */
  readonly superseded: number
  /** Whether the target orders deliveries, so that another value can be delivered again without harm. */
  readonly isOrdered: boolean
  /** Number of delivered sequence numbers whose lines were pruned, so that they can be neither compared nor delivered. */
  readonly pruned: number
  /** The new watermark, and the number of records that the next drain delivers; undefined when it was not moved. */
  readonly rewound: { readonly until: number; readonly records: number } | undefined
}

export type TargetRecheck = Pick<RecheckTarget, 'name' | 'kind' | 'id'> & {
  /** Commits with a watermark, in the order of their ids; those before an error if there is one. */
  readonly commits: readonly CommitRecheck[]
  /** The reason why the target cannot be read back; undefined if it can be. */
  readonly notCheckable: string | undefined
  /** The error that ended the comparison. */
  readonly error?: unknown
}

/**
 * Compares every record that a watermark covers and the outbox still holds with the row in its target.
 * @throws the signal's reason; the failure of one target is part of its result
 */
export async function recheck(options: RecheckOptions): Promise<readonly TargetRecheck[]> {
  const results: TargetRecheck[] = []
  for (const target of options.targets) results.push(await recheckTarget(target, options))
  return results
}

async function recheckTarget(
  { name, kind, id, openRows, pii }: RecheckTarget,
  options: RecheckOptions,
): Promise<TargetRecheck> {
  const commits: CommitRecheck[] = []
  const result = { name, kind, id, commits, notCheckable: undefined }
  if (typeof openRows === 'string') return { ...result, notCheckable: openRows }
  try {
    const { rows, close } = await openRows()
    try {
      for await (const partition of partitions(options.state.storage)) {
        options.signal.throwIfAborted()
        commits.push(...(await recheckPartition({ target: id, partition }, rows, { ...options, pii })))
      }
    } finally {
      await close()
    }
    return commits.length > 0 ? result : { ...result, notCheckable: 'the state has delivered nothing to it' }
  } catch (error) {
    options.signal.throwIfAborted()
    return { ...result, error }
  }
}

type TargetOptions = RecheckOptions & Pick<RecheckTarget, 'pii'>

async function recheckPartition(
  place: TargetPartition,
  rows: StoredRows,
  options: TargetOptions,
): Promise<readonly CommitRecheck[]> {
  const { state } = options
  // The watermark is read first, so that everything it claims was delivered before the rows are read.
  const { until } = (await readWatermark(state.storage, place)).watermark
  if (until === 0) return []
  const { head } = await readHead(state.storage, place.partition)
  const covered = inGenerationOrder(head.batches.filter(({ last }) => last <= until))
  const isOrdered = await rows.isOrdered()
  const found = await compareBatches(place.partition, { covered, rows, isOrdered, options })
  const isRewound = options.rewind && found.lostFrom !== undefined
  const rewound = isRewound
    ? await moveBack(place, { head, from: until, until: found.lostFrom.first - 1, options })
    : undefined
  const pruned = Math.min(until, (head.batches[0]?.first ?? head.next) - 1)
  const { compared, missing, different, superseded } = found
  return [{ commit: place.partition, compared, missing, different, superseded, isOrdered, pruned, rewound }]
}

type Found = Pick<CommitRecheck, 'compared' | 'missing' | 'different' | 'superseded'> & {
  /** The first batch with a record that should be delivered again; undefined when there is none. */
  readonly lostFrom: Batch | undefined
}

const NOTHING_FOUND: Found = { compared: 0, missing: 0, different: 0, superseded: 0, lostFrom: undefined }

type Comparing = {
  readonly covered: readonly Batch[]
  readonly rows: StoredRows
  readonly isOrdered: boolean
  readonly options: TargetOptions
}

async function compareBatches(commit: Partition, { covered, rows, isOrdered, options }: Comparing): Promise<Found> {
  if (covered.length === 0) return { ...NOTHING_FOUND, missing: (await rows.hasCommit(commit)) ? 0 : 1 }
  const { source, batchAt } = outboxSource(options.state, commit, covered)
  const { signal, pii } = options
  const lost = new Set<Batch>()
  const differing = new Map<Batch, DifferingIds>(covered.map(batch => [batch, new Map()]))
  let missing = 0
  const onDifference = (difference: Difference): void => {
    const { code, line, kind, measurements = 0 } = difference
    const batch = covered[batchAt(line)]!
    if (code === 'different') noteDifferent(differing.get(batch)!, difference)
    else missing += 1 + measurements
    // Without its commit, every batch is missing.
    if (code === 'missing') for (const one of kind === 'commit' ? covered : [batch]) lost.add(one)
  }
  const target = { openRows: async () => ({ rows, description: '', close: async () => undefined }) }
  const result = await verify([source], { target, commitSha: commit, signal, onDifference, pii })
  const { compared, rejected } = result
  if (rejected > 0)
    throw new IngestError('state_corrupt', `${rejected} queued lines of ${commit} are not valid records`)
  let [different, superseded] = [0, 0]
  for (const [batch, ids] of differing) {
    const all = [...ids.values()].reduce((sum, { length }) => sum + length, 0)
    const ofNewer = isOrdered ? await countSuperseded(rows, batch, ids) : 0
    superseded += ofNewer
    different += all - ofNewer
    if (isOrdered && ofNewer < all) lost.add(batch)
  }
  const [lostFrom] = [...lost].sort((left, right) => left.first - right.first)
  return { compared, missing, different, superseded, lostFrom }
}

/** Ids of measurements with another value, by kind. */
type DifferingIds = Map<string, string[]>

function noteDifferent(ids: DifferingIds, { kind, measurementId }: Difference): void {
  const known = ids.get(kind)
  if (known === undefined) ids.set(kind, [measurementId])
  else known.push(measurementId)
}

/** Number of measurements of a batch whose stored row a delivery of a newer generation wrote. */
async function countSuperseded(rows: StoredRows, batch: Batch, differing: DifferingIds): Promise<number> {
  const generation = batchGeneration(batch)
  // A forced delivery was newer than all before it, and the state does not know when it was applied.
  if (generation.isForced === true) return 0
  let count = 0
  for (const kind of CONTRACT.kinds) {
    const ids = differing.get(kind.kind)
    const than = { commitSha: batch.commit.sha, generation }
    if (ids !== undefined) count += (await rows.supersededIds(kind, ids, than)).size
  }
  return count
}

/** The batches in the order in which a target that orders deliveries lets them replace each other. */
function inGenerationOrder(batches: readonly Batch[]): readonly Batch[] {
  const ordered: Batch[] = []
  for (const batch of batches) {
    const generation = batchGeneration(batch)
    const at = ordered.findIndex(other => isNewerGeneration(batchGeneration(other), generation))
    ordered.splice(at === -1 ? ordered.length : at, 0, batch)
  }
  return ordered
}

const LF = 0x0a

/** The lines of several batches as one source. Of several lines with the same id the last one is compared, because it is stored. */
function outboxSource(
  { storage }: State,
  name: string,
  batches: readonly Batch[],
): { readonly source: Source; readonly batchAt: (line: number) => number } {
  /** The number of the last line of each batch that was read. */
  let lastLines: number[] = []
  async function* read(): AsyncGenerator<Buffer> {
    lastLines = []
    let lines = 0
    for (const { objects } of batches) {
      for await (const { bytes } of readLines(storage, objects)) {
        for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) lines++
        yield bytes
      }
      lastLines.push(lines)
    }
  }
  const source: Source = {
    name,
    open: async () => chunkReader(read(), async () => undefined),
    assertUnchanged: async () => undefined,
    stat: async () => '',
    release: async () => undefined,
  }
  // A line after all batches that were read belongs to the batch being read. Line 0 stands for the commit.
  const batchAt = (line: number): number => lastLines.filter(last => last < line).length
  return { source, batchAt }
}

type MovingBack = {
  readonly head: Head
  readonly from: number
  readonly until: number
  readonly options: RecheckOptions
}

async function moveBack(
  place: TargetPartition,
  { head, from, until, options: { state } }: MovingBack,
): Promise<CommitRecheck['rewound']> {
  const detail = `rows were missing or had another value: the watermark was moved back from ${from} to ${until}`
  // Written before the change: after a crash an audit row without a change is harmless, the reverse is not.
  await audit(state, { id: newId(state.tools.now()), event: 'rewound', ...place, since: until, until: from, detail })
  await rewind(state, place, until)
  const again = head.batches.filter(({ last }) => last > until)
  return { until, records: again.reduce((all, { records }) => all + records, 0) }
}
