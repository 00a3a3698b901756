/** Push without state: validate all sources, then deliver file by file to every target at the same time. */

import type { Commit, RunMeta } from '../contract/commit.js'
import { lowestIn } from '../contract/version-set.js'
import type { Hash64 } from '../contract/hash64.js'
import type { Delivery, CopyRows } from '../source/delivery.js'
import type { SinkOpener } from '../targets/sink.js'
import { inspect, type Inspection } from '../source/inspect.js'
import type { RecordBatch } from '../source/record-batch.js'
import type { Rejection, Warning } from '../source/rejection.js'
import type { Source } from '../source/source.js'
import { deliverAll, type TargetOutcome } from './deliver.js'
import { keptFor, type KeptRows } from './kept-rows.js'
import { Opening, type Target } from './opening.js'
import { linesOf, rowsOf } from './rows.js'

export type PushOptions = {
  /** The commit that every record must name. Default: the commit of the first record. */
  readonly commitSha?: string | undefined
  /** The only contract version whose shapes are accepted. Default: the lowest one that fits all records of a source. */
  readonly contractVersion?: number | undefined
  /**
   * Returns the metadata of a commit. Called once, with the commit of the records, or undefined when there are no
   * records.
   */
  readonly commitOf: (sha: string | undefined) => Promise<Commit>
  readonly run: RunMeta
  readonly targets: readonly Target[]
  /** Checks everything that can be checked without the targets, and sends nothing. */
  readonly dryRun?: boolean
  /** Allows delivering to a target of an older contract version only the part of the records that it can hold. */
  readonly mayDowngrade?: boolean | undefined
  readonly hash: Hash64
  readonly onRejection: (rejection: Rejection) => void
  readonly onWarning: (warning: Warning) => void
  readonly signal: AbortSignal
}

export type Pushed = {
  readonly inspections: readonly Inspection[]
  /** The commit that every record had to name; undefined when there were no records and no commit was given. */
  readonly commitSha: string | undefined
  /** Undefined when lines were rejected, because then the commit is not looked up. */
  readonly commit: Commit | undefined
  /** One outcome per target; empty when lines were rejected, because then nothing was sent. */
  readonly outcomes: readonly TargetOutcome[]
}

/**
 * Validates the sources and delivers them. The failure of a target is part of its outcome.
 * @throws {IngestError} when nothing could be sent to any target
 */
export async function push(sources: readonly Source[], options: PushOptions): Promise<Pushed> {
  // Connecting overlaps with checking. No record is sent before all are checked.
  const targets = options.dryRun === true ? [] : options.targets
  const openings = targets.map(target => new Opening(target, options.signal))
  const kept = keptFor<Source>(targets, options.hash)
  try {
    const inspections = await inspectAll(sources, options, kept)
    const commitSha = commitShaOf(inspections, options)
    const pushed: Pushed = { inspections, commitSha, commit: undefined, outcomes: [] }
    if (inspections.some(({ rejected }) => rejected > 0)) return pushed
    const commit = await options.commitOf(commitSha)
    const deliveries = sources.map((source, index) =>
      deliveryOf(source, { commit, inspection: inspections[index]!, kept, options }),
    )
    const openers = options.targets.map(({ opener }) => opener)
    if (await isRefused(deliveries, { ...options, openers })) return { ...pushed, commit }
    return { ...pushed, commit, outcomes: await deliverAll(deliveries, openings, options.signal) }
  } finally {
    await Promise.all(openings.map(opening => opening.close()))
  }
}

/** Validates every line of every source; nothing may be sent before that (promise 1). */
export async function inspectAll(
  sources: readonly Source[],
  options: Pick<PushOptions, 'commitSha' | 'contractVersion' | 'onRejection' | 'onWarning' | 'signal'>,
  kept?: KeptRows<Source>,
): Promise<readonly Inspection[]> {
  const { contractVersion, onRejection, onWarning, signal } = options
  const inspections: Inspection[] = []
  for (const source of sources) {
    const commitSha = commitShaOf(inspections, options)
    const onBatch = kept && ((batch: RecordBatch) => kept.add(source, batch))
    const given = { commitSha, contractVersion, oneCommit: true, onBatch, onRejection, onWarning, signal }
    inspections.push(await inspect(source, given))
  }
  return inspections
}

function commitShaOf(
  inspections: readonly Inspection[],
  { commitSha }: Pick<PushOptions, 'commitSha'>,
): string | undefined {
  return commitSha ?? inspections.find(inspection => inspection.commitSha !== undefined)?.commitSha
}

/**
 * Asks each target whether it can hold the deliveries, before anything is sent, so that either all targets get a file
 * or none.
 * Reports every refused record.
 */
export async function isRefused(
  deliveries: readonly Delivery[],
  { openers, onRejection }: { readonly openers: readonly SinkOpener[] } & Pick<PushOptions, 'onRejection'>,
): Promise<boolean> {
  let refused = false
  for (const { refuses } of openers) {
    for (const delivery of refuses === undefined ? [] : deliveries) {
      for await (const rejection of refuses!(delivery)) {
        onRejection(rejection)
        refused = true
      }
    }
  }
  return refused
}

type Checked = {
  readonly commit: Commit
  readonly inspection: Pick<Inspection, 'counts' | 'fits'>
  readonly kept?: KeptRows<Source> | undefined
  readonly options: Pick<PushOptions, 'run' | 'hash' | 'mayDowngrade' | 'signal'>
}

/** A validated source as a delivery, which every target reads independently from the start, as often as it needs to. */
export function deliveryOf(source: Source, { commit, inspection, kept, options }: Checked): Delivery {
  const { counts, fits } = inspection
  const readAgain = (chunkBytes?: number): AsyncIterable<CopyRows> =>
    rowsOf(linesOf(source, options.signal), { name: source.name, hash: options.hash }, chunkBytes)
  return {
    source: source.name,
    run: { ...options.run, schema_version: lowestIn(fits) },
    commit,
    counts,
    fits,
    mayDowngrade: options.mayDowngrade === true,
    rows: chunkBytes => kept?.of([source], chunkBytes) ?? readAgain(chunkBytes),
    lines: () => linesOf(source, options.signal),
    assertMayCommit: () => source.assertUnchanged(),
  }
}
