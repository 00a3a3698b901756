/** Finds what is new in the sources, validates all of it and appends it to the outbox. */

import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Commit, RunMeta } from '../../contract/commit.js'
import type { CiAttempt } from '../../contract/generation.js'
import { lowestIn } from '../../contract/version-set.js'
import type { Hash64 } from '../../contract/hash64.js'
import type { Delivery } from '../../source/delivery.js'
import { CommitCheck } from '../../source/commit-check.js'
import { inspect, noRecordsError, type Inspection } from '../../source/inspect.js'
import { inspectAll } from '../../source/inspect-all.js'
import { LINE_LIMITS, lineBlocks } from '../../source/lines.js'
import { readRecords } from '../../source/records.js'
import { isUntouched, findNewPart, type SourceChange, type NewPart } from '../../source/resume.js'
import type { Source } from '../../source/source.js'
import { readHead, type Head, type Position } from '../../state/head.js'
import { type Partition, newId } from '../../state/keys.js'
import { appendToOutbox, type NewLines } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import type { Emit } from '../events.js'
import { flawEvents, isRefused } from '../read-files.js'
import type { RowCache } from '../row-cache.js'
import { linesOf, rowsOf } from '../rows.js'
import type { PreparedTargets } from './registrations.js'

export type EnqueueOptions = {
  /** The commit that every record must name. Default: the first full commit id of the sources. */
  readonly commitSha?: string | undefined
  readonly contractVersion?: number | undefined
  readonly requireRecords?: boolean | undefined
  readonly findCommit: (sha: string | undefined) => Promise<Commit>
  readonly run: RunMeta
  readonly ci?: CiAttempt | undefined
  /** Whether the records replace newer values on purpose. */
  readonly isForced: boolean
  readonly hash: Hash64
  /** Keeps the parsed rows of the enqueued batches in memory, so they need not be parsed again. */
  readonly cache?: RowCache<string> | undefined
  readonly emit: Emit
  /** Awaited before anything is enqueued; runs while the sources are read. */
  readonly prepared: Promise<PreparedTargets>
  /** Called as soon as something new was found. */
  readonly onNew: () => void
  /** Reads the sources from their start, whatever was enqueued before. */
  readonly fullRefresh: boolean
  readonly dryRun: boolean
  readonly signal: AbortSignal
}

/** How a source has changed since it was last enqueued. `linesBefore` is the number of lines that were enqueued before. */
export type SourceRead = { readonly source: string; readonly change: SourceChange; readonly linesBefore: number }

export type Enqueued = {
  readonly inspections: readonly Inspection[]
  readonly sources: readonly SourceRead[]
  readonly commitSha: string | undefined
  /** Undefined when nothing is new or when lines were rejected. */
  readonly commit: Commit | undefined
  /** Undefined when lines were rejected, because then nothing was enqueued. */
  readonly partition: Partition | undefined
}

/** Appends the new records of the sources to the outbox, all of them or none. */
export async function enqueue(state: State, sources: readonly Source[], options: EnqueueOptions): Promise<Enqueued> {
  if (options.requireRecords === true) await assertHoldRecords(sources)
  const commitSha = options.commitSha ?? (await firstCommitSha(sources, options))
  const isNamed = commitSha !== undefined
  // Without a usable commit id, all records are rejected. Without records, the commit comes from git.
  const { onRejection } = flawEvents(options.emit)
  const inspections = isNamed ? [] : await inspectAll(sources, { ...options, onRejection, onWarning: () => undefined })
  if (inspections.some(({ rejected }) => rejected > 0))
    return { inspections, sources: [], commitSha, commit: undefined, partition: undefined }
  const commit = isNamed ? undefined : await options.findCommit(commitSha)
  for (;;) {
    const enqueued = await enqueueOnce(state, sources, { ...options, commitSha, commit })
    // Undefined means that another process enqueued lines of the same partition meanwhile, so start over.
    if (enqueued !== undefined) return enqueued
  }
}

type Known = EnqueueOptions & { readonly commit: Commit | undefined }

/** A source, compared with the position up to which it was enqueued before. */
type Found = {
  readonly name: string
  readonly source: Source
  readonly position: Position | undefined
  /** The new part; undefined when the file's metadata shows that it has not been written to. */
  readonly rest: NewPart | undefined
}

async function enqueueOnce(state: State, sources: readonly Source[], options: Known): Promise<Enqueued | undefined> {
  const { commitSha, emit } = options
  const partition = options.commit?.sha ?? commitSha!
  const readAtMs = state.tools.now()
  const before = await readHead(state.storage, partition)
  const found = await findAll(sources, { ...options, head: before.head })
  const fresh = found.filter(isFresh).map(one => ({ ...one, id: newId(state.tools.now()) }))
  if (fresh.length > 0) options.onNew()
  const inspections: Inspection[] = []
  for (const one of fresh) inspections.push(await inspectRest(one, options))
  const read = { inspections, sources: found.map(sourceChange), commitSha }
  const nothing = { ...read, commit: undefined, partition: undefined }
  if (inspections.some(({ rejected }) => rejected > 0)) return nothing
  if (fresh.length === 0) return { ...read, commit: options.commit, partition }
  const commit = options.commit ?? (await options.findCommit(commitSha))
  const additions = fresh.map((one, index) => newLines(one, inspections[index]!, options.signal))
  const deliveries = additions.map((lines, index) => deliveryOf(lines, fresh[index]!, { ...options, commit }))
  const { targets } = await options.prepared
  let refused = false
  for (const { opener } of targets) refused = (await isRefused(deliveries, opener, emit)) || refused
  if (refused) return nothing
  if (options.dryRun) return { ...read, commit, partition }
  const { run, ci, isForced } = options
  const head = await appendToOutbox(state, { additions, origin: { run, ci, isForced, commit }, before, readAtMs })
  if (head === undefined) return undefined
  if (before.stored === undefined) warnIfOutboxWasLost(head, emit)
  // A source that only gained blank lines has nothing new.
  const hasNew = read.sources.some(({ change }) => change === 'new') || inspections.some(({ records }) => records > 0)
  emit({ type: 'enqueued', hasNew })
  return { ...read, commit, partition }
}

/**
 * Warns when the commit's outbox had been deleted: its sequence numbers then continue after the targets' watermarks,
 * not at 1.
 */
function warnIfOutboxWasLost({ batches }: Head, emit: Emit): void {
  if ((batches[0]?.first ?? 1) === 1) return
  const message =
    'the outbox of this commit was gone: what some target had not got from it yet comes only if it is pushed again'
  emit({ type: 'warned', message })
}

/** @property id the id of the batch to append */
type Fresh = Found & { readonly rest: NewPart; readonly id: string }

/**
 * Whether a source has something to enqueue. An empty file counts as new the first time, so that its commit is
 * recorded.
 */
function isFresh(found: Found): found is Found & { readonly rest: NewPart } {
  return found.rest !== undefined && found.rest.change !== 'unchanged'
}

function sourceChange({ source, rest, position }: Found): SourceRead {
  const change = rest?.change ?? 'unchanged'
  return { source: source.name, change, linesBefore: change === 'grown' ? (position?.lines ?? 0) : 0 }
}

async function findAll(
  sources: readonly Source[],
  { head, run, fullRefresh }: Known & { readonly head: Head },
): Promise<readonly Found[]> {
  const found: Found[] = []
  for (const source of sources) {
    const name = positionName(source, run)
    // The same file was named twice, for example as FILE and ./FILE.
    if (found.some(one => one.name === name)) continue
    const position = head.positions.get(name)
    const rest =
      !fullRefresh && (await isUntouched(source, position))
        ? undefined
        : await findNewPart(source, fullRefresh ? undefined : position)
    found.push({ name, source, position, rest })
  }
  return found
}

/**
 * Key of a source position: a hash of the benchmark id and the absolute path. Files of the same name on different
 * machines share the
 * key and are told apart by their content.
 */
function positionName({ name }: Source, { benchmark_id }: RunMeta): string {
  const path = name === '-' ? name : resolve(name)
  return createHash('sha256').update(`${benchmark_id}\n${path}`).digest('hex').slice(0, 32)
}

async function inspectRest(
  { id, rest, position }: Fresh,
  { cache, emit, signal, commitSha, contractVersion }: Known,
): Promise<Inspection> {
  const { source, skipped } = rest
  const { onRejection, onWarning } = flawEvents(emit)
  const linesBefore = skipped > 0 ? (position?.lines ?? 0) : 0
  return inspect(source, {
    commitSha,
    contractVersion,
    linesBefore,
    oneCommit: true,
    onBatch: cache && (batch => cache.add(id, batch)),
    onRejection: one => onRejection({ ...one, line: one.line + linesBefore, byte: one.byte + skipped }),
    onWarning: one => onWarning(one.line === 0 ? one : { ...one, line: one.line + linesBefore }),
    signal,
  })
}

function newLines({ id, name, source, rest, position }: Fresh, inspection: Inspection, signal: AbortSignal): NewLines {
  const linesBefore = rest.skipped > 0 ? (position?.lines ?? 0) : 0
  // A last line without a line feed counts as incomplete: the next part continues it.
  const lines = linesBefore + inspection.lines - (rest.isOpenEnded ? 1 : 0)
  return {
    id,
    source: source.name,
    linesBefore,
    records: inspection.records,
    counts: inspection.counts,
    fits: inspection.fits,
    lines: () => linesOf(rest.source, signal),
    position: { name, from: position, to: { path: source.name, lines, ...rest.whole } },
  }
}

/** The delivery as it is shown to targets that may refuse records. */
function deliveryOf(
  { source, counts, fits, lines, linesBefore }: NewLines,
  { rest }: Fresh,
  { run, hash, commit }: EnqueueOptions & { readonly commit: Commit },
): Delivery {
  return {
    ...{ source, commit, counts, fits, lines },
    run: { ...run, schema_version: lowestIn(fits) },
    locateLine: async (line, byte) => ({ source, line: linesBefore + line, byte: rest.skipped + byte }),
    rows: () => rowsOf(lines(), { name: source, hash }),
    assertMayCommit: () => Promise.resolve(),
  }
}

/** Small blocks, because every record of a block is parsed and only the first is needed. */
const FIRST_LINES = { ...LINE_LIMITS, blockBytes: 4096 }

/** The first full commit id that an accepted line names; undefined when there is none. */
async function firstCommitSha(
  sources: readonly Source[],
  { contractVersion: version }: EnqueueOptions,
): Promise<string | undefined> {
  for (const source of sources) {
    const check = new CommitCheck({ oneCommit: true })
    const lines = lineBlocks(await source.open(), FIRST_LINES)
    for await (const { batch } of readRecords(lines, { source: source.name, version })) {
      for (let row = 0; row < batch.count && check.firstSha === undefined; row++) check.problemOf(batch, row)
      if (check.firstSha !== undefined) return check.firstSha
    }
  }
  return undefined
}

/** @throws {IngestError} `bad_data` for a source that has no records, whether or not it was enqueued before */
async function assertHoldRecords(sources: readonly Source[]): Promise<void> {
  for (const source of sources) if (!(await holdsLines(source))) throw noRecordsError(source.name)
}

async function holdsLines(source: Source): Promise<boolean> {
  const lines = lineBlocks(await source.open(), FIRST_LINES)
  for await (const { batch, rejections } of readRecords(lines, { source: source.name }))
    if (batch.count + rejections.length > 0) return true
  return false
}
