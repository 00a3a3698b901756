/** What is new in the sources, checked whole and put into the outbox. */

import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { isFullSha } from '../../commit/full-sha.js'
import type { Commit, RunMeta } from '../../contract/commit.js'
import { lowestIn } from '../../contract/version-set.js'
import type { Hash64 } from '../../contract/hash64.js'
import type { Delivery, SinkOpener } from '../../sink/sink.js'
import { inspect, type Inspection } from '../../source/inspect.js'
import { LINE_LIMITS, lineBlocks } from '../../source/lines.js'
import { readRecords } from '../../source/records.js'
import type { Rejection, Warning } from '../../source/rejection.js'
import { isUntouched, restOf, type Change, type Rest } from '../../source/resume.js'
import type { Source } from '../../source/source.js'
import { readHead, type Head, type Position } from '../../state/head.js'
import type { Partition } from '../../state/keys.js'
import { appendToOutbox, type NewLines } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import { newId } from '../../state/ulid.js'
import { inspectAll, isRefused } from '../push.js'
import type { KeptRows } from '../kept-rows.js'
import { linesOf, rowsOf } from '../rows.js'

export type TakeInOptions = {
  readonly commitSha: string | undefined
  readonly contractVersion?: number | undefined
  readonly commitOf: (sha: string | undefined) => Promise<Commit>
  readonly run: RunMeta
  /** Of the targets as they are by then. */
  readonly openers: () => Promise<readonly SinkOpener[]>
  readonly hash: Hash64
  /** Of the batches that are taken in. */
  readonly kept?: KeptRows<string> | undefined
  readonly onRejection: (rejection: Rejection) => void
  readonly onWarning: (warning: Warning) => void
  /** What must have been done before anything is taken in; it overlaps with reading the sources. */
  readonly ready: Promise<unknown>
  /** Called as soon as it is known that something is new. */
  readonly onNew: () => void
  /** Takes everything from its start, whatever was taken before. */
  readonly fromStart: boolean
  readonly dryRun: boolean
  readonly signal: AbortSignal
}

export type SourceTaken = { readonly source: string; readonly change: Change; readonly linesBefore: number }

export type TakenIn = {
  readonly inspections: readonly Inspection[]
  readonly sources: readonly SourceTaken[]
  readonly commitSha: string | undefined
  /** Undefined when nothing is new, or lines were rejected. */
  readonly commit: Commit | undefined
  /** Undefined when lines were rejected: then nothing was taken. */
  readonly partition: Partition | undefined
  readonly warnings: readonly string[]
}

export async function takeIn(state: State, sources: readonly Source[], options: TakeInOptions): Promise<TakenIn> {
  const commitSha = options.commitSha ?? (await firstCommitSha(sources))
  // Without records git says which commit it is, and of a name that is none that it is none.
  const isNamed = commitSha !== undefined && isFullSha(commitSha)
  const inspections = isNamed ? [] : await inspectAll(sources, { ...options, commitSha, onWarning: () => undefined })
  if (inspections.some(({ rejected }) => rejected > 0))
    return { inspections, sources: [], commitSha, commit: undefined, partition: undefined, warnings: [] }
  const commit = isNamed ? undefined : await options.commitOf(commitSha)
  for (;;) {
    const taken = await takeOnce(state, sources, { ...options, commitSha, commit })
    // Another process took a part of them in meanwhile.
    if (taken !== undefined) return taken
  }
}

type Known = TakeInOptions & { readonly commit: Commit | undefined }

/** One source as it is found. */
type Found = {
  readonly name: string
  readonly source: Source
  readonly position: Position | undefined
  /** Undefined when the system says that nothing is new. */
  readonly rest: Rest | undefined
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

/** Of a commit that had no outbox: numbers that do not begin at 1 go on after those that targets are known to have. */
function warningsOf({ batches }: Head): readonly string[] {
  if ((batches[0]?.first ?? 1) === 1) return []
  return [
    'the outbox of this commit was gone: what some target had not got from it yet comes only if it is pushed again',
  ]
}

/** @property id what its batch will be called */
type Fresh = Found & { readonly rest: Rest; readonly id: string }

/** An empty file is new once: its commit is to be known. */
function isFresh(found: Found): found is Found & { readonly rest: Rest } {
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
    // Named twice, as FILE and ./FILE.
    if (found.some(one => one.name === name)) continue
    const position = head.positions.get(name)
    const rest =
      !fromStart && (await isUntouched(source, position))
        ? undefined
        : await restOf(source, fromStart ? undefined : position)
    found.push({ name, source, position, rest })
  }
  return found
}

/** The same file of the same benchmark; other machines have other files of the same name, which are told by their bytes. */
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
  // A line without its end goes on, as far as anybody knows, where the next part begins.
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

/** For the targets that are asked whether they can take it. */
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
    assertUnchanged: () => Promise.resolve(),
  }
}

/** All records of a block are parsed, and one is enough. */
const FIRST_LINES = { ...LINE_LIMITS, blockBytes: 4096 }

/** What the first record names; undefined where there is none. */
async function firstCommitSha(sources: readonly Source[]): Promise<string | undefined> {
  for (const source of sources)
    for await (const { batch } of readRecords(lineBlocks(await source.open(), FIRST_LINES), { source: source.name }))
      if (batch.count > 0) return batch.text(0, 0)
  return undefined
}
