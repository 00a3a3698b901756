/** `push`: sources → lines → records → validate → enqueue? → deliver → receipt → watermark? With `state`, the `?` steps happen. */

import type { Commit, RunMeta } from '../contract/commit.js'
import type { LineLimit } from '../config/option.js'
import type { CiAttempt } from '../contract/generation.js'
import { wasmHash64, type Hash64 } from '../contract/hash64.js'
import { abortError, IngestError } from '../errors.js'
import type { GitCommitOptions } from '../commit/git.js'
import { runMeta } from '../commit/ci.js'
import type { DimensionCheck } from '../pii/dimension-check.js'
import type { PiiFilter } from '../pii/pii-filter.js'
import type { Inspection } from '../source/inspect.js'
import { fixedSource } from '../source/fixed-source.js'
import { openSources } from '../source/inputs.js'
import type { Source } from '../source/source.js'
import type { State } from '../state/state.js'
import { TargetConnections } from './target-connection.js'
import { checkFiles } from './check-files.js'
import { deliver } from './deliver.js'
import type { SourceRead } from './durable/enqueue.js'
import type { Emit } from './events.js'
import type { PushRejects, RejectOptions } from './push-rejects.js'
import { outboxFilter, startDimensionCheck } from './personal-data.js'
import { ResultReducer, type DeliveryResult } from './result.js'
import { rowCacheFor } from './row-cache.js'
import type { explainSettings, ExplainedSettings } from './settings.js'
import type { ReadTargets, Target } from './target.js'
import type { Requirements } from './verdict.js'

export type PushOptions = Requirements & {
  /** Where the records go. Each target is delivered to at the same time, and fails alone. */
  readonly targets: readonly Target[]
  /**
   * Durable memory. Records are queued in it before they are delivered, only new records of a file are delivered, and
   * what a target misses is delivered by the next push or `drain`. See `openState`.
   */
  readonly state?: State | undefined
  /**
   * The commit that the records were measured on, or a function that finds it. The function is called once, with the
   * commit id of the records, or undefined when there are none. Default: git is asked for it.
   */
  readonly commit?: Commit | ((sha: string | undefined) => Promise<Commit>) | undefined
  /** The commit id that every record must name. Default: that of `commit`, otherwise the first full commit id of the files. */
  readonly commitSha?: string | undefined
  /** The benchmark run that produced the records. Default: the benchmark `local`, now. */
  readonly run?: RunMeta | undefined
  /** The attempt of the CI run that produced the records, which decides which of two values is newer. Default: the time decides. */
  readonly ci?: CiAttempt | undefined
  /** The web page of the CI run, which is stored with the delivery. */
  readonly runUrl?: string | undefined
  /** Replaces values that a newer run has delivered. */
  readonly forceOlder?: boolean | undefined
  /** The only contract version whose shapes are accepted. Default: the lowest one that fits all records of a source. */
  readonly contractVersion?: number | undefined
  /** Makes a file without records an error. Default: a warning. */
  readonly requireRecords?: boolean | undefined
  /**
   * Delivers the other lines when lines are rejected, and stores the rejected ones first. Default: nothing is delivered when a line
   * is rejected.
   */
  readonly rejects?: RejectOptions | undefined
  /** Checks everything that can be checked without the targets, and sends and stores nothing. */
  readonly dryRun?: boolean | undefined
  /** Allows delivering to a target of an older contract version only the part of the records that it can hold. */
  readonly mayDowngrade?: boolean | undefined
  /** With `state`: reads the sources from their start and delivers all their queued records again. */
  readonly fullRefresh?: boolean | undefined
  /** With `state`: how long to wait for another process that delivers to the same target, in milliseconds. Default: 0. */
  readonly waitMs?: number | undefined
  /** With `state`: reads the registered targets again, which an operator may change while the push runs. */
  readonly readTargets?: ReadTargets | undefined
  /**
   * With `state`: the filters of targets that get the records from the state later, undefined for one that keeps personal data.
   * The state keeps what its least strict target may get.
   */
  readonly laterFilters?: readonly (PiiFilter | undefined)[] | undefined
  /** Adds the write settings of each target to the result. */
  readonly explain?: boolean | undefined
  /** Called with each event, in order. */
  readonly onEvent?: Emit | undefined
  /** Stops the push. Its reason becomes the error. */
  readonly signal?: AbortSignal | undefined
}

/** The content of the sources. */
type Intake = {
  readonly inspections: readonly Inspection[]
  /** The commit that every record had to name; undefined when there were no records and no commit was given. */
  readonly commitSha: string | undefined
  /** Undefined when lines were rejected and nothing is delivered, and with state when nothing is new. */
  readonly commit: Commit | undefined
  /** With state: how each source has changed since it was last enqueued. */
  readonly sources?: readonly SourceRead[]
}

export type PushResult = DeliveryResult &
  Intake & {
    readonly run: RunMeta
    readonly dryRun: boolean
    /** The most lines that could be rejected while the others are delivered; undefined without `rejects`. */
    readonly maxRejections: LineLimit | undefined
    /** With `explain`. */
    readonly explained: readonly ExplainedSettings[] | undefined
  }

/**
 * Validates every line of every file, then delivers file by file to every target: all of a file or nothing.
 * @param files file names, globs, `-` for standard input, or sources
 * @returns one result per target; the failure of a target is part of its result and is not thrown
 * @throws {IngestError} when nothing could be sent to any target, or enqueued
 */
export async function push(files: readonly (string | Source)[], options: PushOptions): Promise<PushResult> {
  const { state, targets } = options
  assertTargetsFit(options)
  const work = await startPush(options)
  const { reducer, connections, run, dryRun, signal } = work
  const { sources, release } = await openSources(files, { rereadable: true, mayGrow: state !== undefined, signal })
  try {
    if (options.rejects !== undefined) (await loadRejects()).assertRejectsFit(options.rejects, { sources, state })
    const intake = await (state === undefined ? pushFiles(sources, work) : pushOutbox(state, sources, work))
    const result = reducer.result()
    const explained = options.explain === true ? await explain(targets, result.targets, state) : undefined
    return {
      ...intake,
      ...result,
      run,
      dryRun,
      explained,
      maxRejections: options.rejects && (options.rejects.max ?? 0),
    }
  } finally {
    work.rejects?.close()
    await Promise.all([connections.close(), release()])
  }
}

/** Without state: the queue of a target is the validated files themselves. */
async function pushFiles(opened: readonly Source[], work: PushWork): Promise<Intake> {
  const { targets, connections, signal, dryRun, reducer, rejects } = work
  const sources = dryRun ? opened : opened.map(fixedSource)
  // Connecting overlaps with checking. No record is sent before all are checked.
  if (!dryRun) connections.prepare(targets)
  const readAt: string[] = []
  const checking = { ...work, readAt }
  let { queues, ...intake } = await checkFiles(sources, checking)
  const parts = sources.map(source => ({ source, linesBefore: 0 }))
  while (queues === undefined && rejects?.tolerates(intake.inspections, intake.commitSha) === true) {
    const accepted = parts.map(part => rejects.accepted(part))
    ;({ queues, ...intake } = await checkFiles(accepted, checking))
  }
  if (queues === undefined) return intake
  await rejects?.save(parts, intake.commitSha)
  if (dryRun) return intake
  await Promise.all(queues.map(({ target, queue }) => deliver(connections.get(target), queue, work)))
  const results = reducer.result().targets
  if (signal.aborted && results.every(({ receipts, partial }) => receipts.length === 0 && partial === undefined))
    throw results.map(({ error }) => abortError(error, signal)).find(error => error !== signal.reason) ?? signal.reason
  return intake
}

/** With state: the new records are enqueued, and the queue of a target is what the outbox holds for it. */
async function pushOutbox(state: State, sources: readonly Source[], work: PushWork): Promise<Intake> {
  const [{ enqueue }, { deliverFromOutbox }, registrations, { removeLeftovers }, { DeliveryJournal }] =
    await Promise.all([
      import('./durable/enqueue.js'),
      import('./durable/outbox-queue.js'),
      import('./durable/registrations.js'),
      import('./durable/leftovers.js'),
      import('./durable/delivery-journal.js'),
    ])
  const { targets, connections, emit, dryRun, fullRefresh } = work
  const pii = outboxFilter(work)
  const journal = new DeliveryJournal(state, work.run.benchmark_id)
  work.listeners.push(event => journal.note(event))
  const cache = dryRun ? undefined : rowCacheFor<string>(targets, work.hash)
  const prepared = registrations.prepareTargets(state, work)
  // Handled where it is awaited; until then the rejection must not count as unhandled.
  prepared.catch(() => undefined)
  try {
    const onNew = (): void => void (dryRun || connections.prepare(targets))
    const { partition, ...intake } = await enqueue(state, sources, { ...work, cache, prepared, onNew, pii })
    const { intents, targets: registered } = await prepared
    if (partition === undefined || dryRun) return intake
    const pending = { ...work, partitions: [partition], intents, cache, fromStart: fullRefresh }
    const [, ends] = await Promise.all([
      removeLeftovers(state, partition, { emit, intents }),
      registrations.deliverInRounds(state, { ...work, targets: registered }, round =>
        Promise.all(round.map(target => deliverFromOutbox(state, connections.get(target), pending))),
      ),
    ])
    registrations.failWithoutTargets(ends, emit)
    await journal.close(emit)
    return intake
  } finally {
    await Promise.allSettled([prepared])
  }
}

/** The options of a push with their defaults, and what it works with. */
type PushWork = Pick<
  PushOptions,
  | 'commitSha'
  | 'contractVersion'
  | 'requireRecords'
  | 'targets'
  | 'readTargets'
  | 'mayDowngrade'
  | 'ci'
  | 'runUrl'
  | 'laterFilters'
> & {
  readonly emit: Emit
  readonly signal: AbortSignal
  readonly findCommit: (sha: string | undefined) => Promise<Commit>
  readonly run: RunMeta
  readonly hash: Hash64
  readonly dryRun: boolean
  readonly fullRefresh: boolean
  readonly isForced: boolean
  readonly waitMs: number
  readonly connections: TargetConnections
  readonly reducer: ResultReducer
  /** Undefined when nothing is delivered if a line is rejected. */
  readonly rejects: PushRejects | undefined
  /** Undefined when every target gets personal data unchanged. */
  readonly dimensions: DimensionCheck | undefined
  /** Receive the events after the reducer. */
  readonly listeners: Emit[]
  readonly now: () => number
}

async function startPush(options: PushOptions): Promise<PushWork> {
  const { commit, dryRun = false, fullRefresh = false, waitMs = 0, onEvent } = options
  const { signal = new AbortController().signal } = options
  const reducer = new ResultReducer({ ...options, hasOutbox: options.state !== undefined })
  const listeners = onEvent === undefined ? [] : [onEvent]
  const emit: Emit = event => {
    if (event.type === 'line-rejected') rejects?.note(event.rejection)
    reducer.apply(event)
    for (const listener of listeners) listener(event)
  }
  const isFiltered = outboxFilter(options) !== undefined
  const rejects =
    options.rejects &&
    new (await loadRejects()).PushRejects({ ...options.rejects, state: options.state, dryRun, isFiltered, emit })
  const find =
    typeof commit === 'function' ? commit : async (sha: string | undefined) => commit ?? readGit({ sha, signal })
  let found: Promise<Commit> | undefined
  const run = options.run ?? runMeta({ now: () => new Date() })
  return {
    ...options,
    rejects,
    dimensions: await startDimensionCheck({ ...options, run, emit }),
    commitSha: options.commitSha ?? (typeof commit === 'object' ? commit.sha : undefined),
    findCommit: sha => (found ??= find(sha)),
    run,
    hash: await wasmHash64(),
    ...{
      dryRun,
      fullRefresh,
      waitMs,
      isForced: options.forceOlder === true,
      signal,
      reducer,
      listeners,
      emit,
      now: Date.now,
    },
    connections: new TargetConnections({ emit, signal }),
  }
}

function loadRejects(): Promise<typeof import('./push-rejects.js')> {
  return import('./push-rejects.js')
}

async function readGit(options: GitCommitOptions): Promise<Commit> {
  const { readGitCommit } = await import('../commit/git.js')
  return readGitCommit(options)
}

/** @throws {IngestError} `usage` for a target that stores ranges of an outbox, when there is none */
function assertTargetsFit({ targets, state }: PushOptions): void {
  const misfit = state === undefined ? targets.find(({ opener }) => opener.needsOutbox === true) : undefined
  if (misfit === undefined) return
  const hint = 'push with a state'
  throw new IngestError('usage', `${misfit.opener.description} stores only records from an outbox`, { hint })
}

async function explain(...params: Parameters<typeof explainSettings>): ReturnType<typeof explainSettings> {
  return (await import('./settings.js')).explainSettings(...params)
}
