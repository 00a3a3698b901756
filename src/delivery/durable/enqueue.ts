/** Finds what is new in the sources, validates all of it and appends it to the outbox. */

import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Commit, RunMeta } from '../../contract/commit.js'
import type { CiAttempt } from '../../contract/generation.js'
import type { Hash64 } from '../../contract/hash64.js'
import { userAgent } from '../../package-file.js'
import type { PiiFilter } from '../../pii/pii-filter.js'
import { CommitCheck } from '../../source/commit-check.js'
import { noRecordsError, type Inspection } from '../../source/inspect.js'
import { inspectAll } from '../../source/inspect-all.js'
import { LINE_LIMITS, lineBlocks } from '../../source/lines.js'
import { readRecords } from '../../source/records.js'
import { isUntouched, findNewPart, type SourceChange } from '../../source/resume.js'
import type { Source } from '../../source/source.js'
import { readHead, type Head } from '../../state/head.js'
import { newId, type Partition } from '../../state/keys.js'
import { appendToOutbox } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import type { Emit } from '../events.js'
import type { PushRejects } from '../push-rejects.js'
import { flawEvents } from '../read-files.js'
import type { RowCache } from '../row-cache.js'
import { closeRepaired } from './close-repaired.js'
import { checkTolerantly, partOf, type Found, type Fresh } from './check-parts.js'
import type { PreparedTargets } from './registrations.js'

export type EnqueueOptions = {
  /** The commit that every record must name. Default: the first full commit id of the sources. */
  readonly commitSha?: string | undefined
  readonly contractVersion?: number | undefined
  readonly requireRecords?: boolean | undefined
  readonly findCommit: (sha: string | undefined) => Promise<Commit>
  readonly run: RunMeta
  readonly ci?: CiAttempt | undefined
  /** The web page of the CI run. */
  readonly runUrl?: string | undefined
  /** Whether the records replace newer values on purpose. */
  readonly isForced: boolean
  readonly hash: Hash64
  /** Keeps the parsed rows of the enqueued batches in memory, so they need not be parsed again. */
  readonly cache?: RowCache<string> | undefined
  readonly emit: Emit
  /** Masks or drops personal data before it is enqueued. */
  readonly pii?: PiiFilter | undefined
  /** Undefined when nothing is enqueued if a line is rejected. */
  readonly rejects: PushRejects | undefined
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
    options.rejects?.restart()
  }
}

type Known = EnqueueOptions & { readonly commit: Commit | undefined }

async function enqueueOnce(state: State, sources: readonly Source[], options: Known): Promise<Enqueued | undefined> {
  const { commitSha, emit, rejects } = options
  const partition = options.commit?.sha ?? commitSha!
  const readAtMs = state.tools.now()
  const before = await readHead(state.storage, partition)
  const found = await findAll(sources, { ...options, head: before.head })
  const fresh = found.filter(isFresh)
  if (fresh.length > 0) options.onNew()
  const checked = await checkTolerantly(fresh, { ...options, newId: () => newId(state.tools.now()) })
  const { inspections, additions } = checked
  const read = { inspections, sources: found.map(sourceChange), commitSha }
  if (checked.isRejected) return { ...read, commit: undefined, partition: undefined }
  await rejects?.save(fresh.map(partOf), partition)
  if (checked.fresh.length === 0) return { ...read, commit: options.commit, partition }
  const commit = options.commit ?? (await options.findCommit(commitSha))
  if (options.dryRun) return { ...read, commit, partition }
  const { run, ci, isForced, pii, runUrl } = options
  const queued = pii === undefined ? commit : await pii.commit(commit)
  const shared = { runUrl, tool: userAgent() }
  const origin = { run, ci, isForced, commit: queued, pii: pii?.mode, shared }
  const head = await appendToOutbox(state, { additions, origin, before, readAtMs })
  if (head === undefined) return undefined
  if (before.stored === undefined) warnIfOutboxWasLost(head, emit)
  // A source that only gained blank lines has nothing new.
  const hasNew = read.sources.some(({ change }) => change === 'new') || inspections.some(({ records }) => records > 0)
  emit({ type: 'enqueued', hasNew })
  await closeRepaired(state, additions, emit)
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

/**
 * Whether a source has something to enqueue. An empty file counts as new the first time, so that its commit is
 * recorded.
 */
function isFresh(found: Found): found is Fresh {
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
