/** Finds what is new in the sources, validates all of it and appends it to the outbox. */

import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { isFullSha, type Commit, type RunMeta } from '../../contract/commit.js'
import { lowestIn } from '../../contract/version-set.js'
import type { Hash64 } from '../../contract/hash64.js'
import type { Delivery } from '../../source/delivery.js'
import type { SinkOpener } from '../../targets/sink.js'
import { inspect, type Inspection } from '../../source/inspect.js'
import { LINE_LIMITS, lineBlocks } from '../../source/lines.js'
import { readRecords } from '../../source/records.js'
import type { Rejection, Warning } from '../../source/rejection.js'
import { isUntouched, findNewPart, type SourceChange, type NewPart } from '../../source/resume.js'
import type { Source } from '../../source/source.js'
import { readHead, type Head, type Position } from '../../state/head.js'
import { type Partition, newId } from '../../state/keys.js'
import { appendToOutbox, type NewLines } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import { inspectAll, isRefused } from '../push.js'
import type { KeptRows } from '../kept-rows.js'
import { linesOf, rowsOf } from '../rows.js'

export type TakeInOptions = {
  readonly commitSha: string | undefined
  readonly contractVersion?: number | undefined
  readonly commitOf: (sha: string | undefined) => Promise<Commit>
  readonly run: RunMeta
  /** The sinks of the targets that are registered once the sources have been read. */
  readonly openers: () => Promise<readonly SinkOpener[]>
  readonly hash: Hash64
  /** Keeps the parsed rows of the enqueued batches in memory, so they need not be parsed again. */
  readonly kept?: KeptRows<string> | undefined
  readonly onRejection: (rejection: Rejection) => void
  readonly onWarning: (warning: Warning) => void
  /** Awaited before anything is enqueued; runs while the sources are read. */
  readonly ready: Promise<unknown>
  /** Called as soon as something new was found. */
  readonly onNew: () => void
  /** Reads the sources from their start, whatever was enqueued before. */
  readonly fromStart: boolean
  readonly dryRun: boolean
  readonly signal: AbortSignal
}

export type SourceTaken = { readonly source: string; readonly change: SourceChange; readonly linesBefore: number }

export type TakenIn = {
  readonly inspections: readonly Inspection[]
  readonly sources: readonly SourceTaken[]
  readonly commitSha: string | undefined
  /** Undefined when nothing is new or when lines were rejected. */
  readonly commit: Commit | undefined
  /** Undefined when lines were rejected, because then nothing was enqueued. */
  readonly partition: Partition | undefined
  readonly warnings: readonly string[]
}

export async function takeIn(state: State, sources: readonly Source[], options: TakeInOptions): Promise<TakenIn> {
  const commitSha = options.commitSha ?? (await firstCommitSha(sources))
  // Without records, the commit comes from git. A name that is not a full commit id is resolved, or refused, by
  // `commitOf`.
  const isNamed = commitSha !== undefined && isFullSha(commitSha)
  const inspections = isNamed ? [] : await inspectAll(sources, { ...options, commitSha, onWarning: () => undefined })
  if (inspections.some(({ rejected }) => rejected > 0))
    return { inspections, sources: [], commitSha, commit: undefined, partition: undefined, warnings: [] }
  const commit = isNamed ? undefined : await options.commitOf(commitSha)
  for (;;) {
    const taken = await takeOnce(state, sources, { ...options, commitSha, commit })
    // Undefined means that another process enqueued lines of the same partition meanwhile, so start over.
    if (taken !== undefined) return taken
  }
}

type Known = TakeInOptions & { readonly commit: Commit | undefined }

/** A source, compared with the position up to which it was enqueued before. */
type Found = {
  readonly name: string
  readonly source: Source
  readonly position: Position | undefined
  /** The new part; undefined when the file's metadata shows that it has not been written to. */
  readonly rest: NewPart | undefined
}

async function takeOnce(state: State, sources: readonly Source[], options: Known): Promise<TakenIn | undefined> {
  const partition = options.commit?.sha ?? options.commitSha!
  const before = await readHead(state.storage, partition)
  const found = await findAll(sources, { ...options, head: before.head })
  const fresh = found.filter(isFresh).map(one => ({ ...one, id: newId(state.tools.now()) }))
  if (fresh.length > 0) options.onNew()
  const inspections: Inspection[] = []
  for (const one of fresh) inspections.push(await inspectRest(one, { ...options, partition }))
  const taken = { inspections, sources: found.map(takenOf), commitSha: options.commitSha, warnings: [] }
  const nothing = { ...taken, commit: undefined, partition: undefined }
  if (inspections.some(({ rejected }) => rejected > 0)) return nothing
  if (fresh.length === 0) return { ...taken, commit: options.commit, partition }
  const commit = options.commit ?? (await options.commitOf(options.commitSha))
  const intakes = fresh.map((one, index) => intakeOf(one, inspections[index]!, options.signal))
  const deliveries = intakes.map((intake, index) => deliveryOf(intake, fresh[index]!, { ...options, commit }))
  if (await isRefused(deliveries, { ...options, openers: await options.openers() })) return nothing
  if (options.dryRun) return { ...taken, commit, partition }
  await options.ready
  const head = await appendToOutbox(state, { additions: intakes, origin: { run: options.run, commit }, before })
  return head && { ...taken, commit, partition, warnings: before.stored === undefined ? warningsOf(head) : [] }
}

/**
 * Warns when the commit's outbox had been deleted: its sequence numbers then continue after the targets' watermarks,
 * not at 1.
 */
function warningsOf({ batches }: Head): readonly string[] {
  if ((batches[0]?.first ?? 1) === 1) return []
  return [
    'the outbox of this commit was gone: what some target had not got from it yet comes only if it is pushed again',
  ]
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

function takenOf({ source, rest, position }: Found): SourceTaken {
  const change = rest?.change ?? 'unchanged'
  return { source: source.name, change, linesBefore: change === 'grown' ? (position?.lines ?? 0) : 0 }
}

async function findAll(
  sources: readonly Source[],
  { head, run, fromStart }: Known & { readonly head: Head },
): Promise<readonly Found[]> {
  const found: Found[] = []
  for (const source of sources) {
    const name = positionName(source, run)
    // The same file was named twice, for example as FILE and ./FILE.
    if (found.some(one => one.name === name)) continue
    const position = head.positions.get(name)
    const rest =
      !fromStart && (await isUntouched(source, position))
        ? undefined
        : await findNewPart(source, fromStart ? undefined : position)
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
  { kept, onRejection, onWarning, signal, commitSha, contractVersion }: Known & { readonly partition: Partition },
): Promise<Inspection> {
  const { source, skipped } = rest
  const linesBefore = skipped > 0 ? (position?.lines ?? 0) : 0
  return inspect(source, {
    commitSha,
    contractVersion,
    linesBefore,
    oneCommit: true,
    onBatch: kept && (batch => kept.add(id, batch)),
    onRejection: one => onRejection({ ...one, line: one.line + linesBefore, byte: one.byte + skipped }),
    onWarning: one => onWarning(one.line === 0 ? one : { ...one, line: one.line + linesBefore }),
    signal,
  })
}

function intakeOf({ id, name, source, rest, position }: Fresh, inspection: Inspection, signal: AbortSignal): NewLines {
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
  { run, hash, commit }: TakeInOptions & { readonly commit: Commit },
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

/** The commit of the first record; undefined when there are no records. */
async function firstCommitSha(sources: readonly Source[]): Promise<string | undefined> {
  for (const source of sources)
    for await (const { batch } of readRecords(lineBlocks(await source.open(), FIRST_LINES), { source: source.name }))
      if (batch.count > 0) return batch.text(0, 0)
  return undefined
}
