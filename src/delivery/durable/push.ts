/** The path of a record with state: sources, what is new of them, the outbox, then every target from there. */

import { messageOf } from '../../errors.js'
import type { Source } from '../../source/source.js'
import { discardOrphans } from '../../state/discard.js'
import { listIntents, type Intent } from '../../state/intent.js'
import { sweep } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import { rewind } from '../../state/watermark.js'
import type { TargetOutcome } from '../deliver.js'
import { Opening, type Target } from '../opening.js'
import type { Pushed, PushOptions } from '../push.js'
import { deliverPending } from './deliver-pending.js'
import { makeKnown } from './make-known.js'
import { takeIn, type SourceTaken } from './take-in.js'

export type DurablePushOptions = PushOptions & {
  /** How long another process that delivers the same is waited for. */
  readonly waitMs: number
  /** Takes the sources from their start and delivers all that the outbox holds of them again. */
  readonly fullRefresh: boolean
}

export type DurablyPushed = Pushed & {
  readonly sources: readonly SourceTaken[]
  readonly warnings: readonly string[]
}

/** @throws {IngestError} when nothing could be taken in; what becomes of each target is part of the answer */
export async function pushDurably(
  state: State,
  sources: readonly Source[],
  options: DurablePushOptions,
): Promise<DurablyPushed> {
  const { targets, signal, fullRefresh, dryRun = false } = options
  const ready = prepare(state, dryRun ? [] : targets)
  // Met before anything is taken in.
  ready.catch(() => undefined)
  const openings = new Openings(targets, signal)
  try {
    const taken = await takeIn(state, sources, {
      ...options,
      ready,
      dryRun,
      fromStart: fullRefresh,
      openers: targets.map(({ opener }) => opener),
      commitSha: options.commitSha,
      // Connecting overlaps with checking; not a byte of a record is sent before all are checked.
      onNew: () => dryRun || openings.open(),
    })
    const intents = await ready
    const { inspections, commitSha, commit, partition } = taken
    const pushed: DurablyPushed = { inspections, commitSha, commit, sources: taken.sources, outcomes: [], warnings: [] }
    if (partition === undefined || dryRun) return pushed
    if (fullRefresh) for (const { opener } of targets) await rewind(state, { target: opener.id, partition }, 0)
    const pending = { ...options, partitions: [partition], intents }
    const [warnings, ...outcomes] = await Promise.all([
      tidyQuietly(state, partition, intents),
      ...openings.all().map(opening => deliverPending(state, opening, pending)),
    ])
    // A source that gained only blank lines is no such thing.
    const isNew = taken.sources.some(({ change }) => change === 'new') || inspections.some(({ records }) => records > 0)
    return {
      ...pushed,
      outcomes: isNew ? outcomes.map(orByAnother) : outcomes,
      warnings: [...taken.warnings, ...warnings],
    }
  } finally {
    await Promise.allSettled([ready, openings.close()])
  }
}

/** Reading the sources overlaps with it. @returns the intents that are there */
async function prepare(state: State, targets: readonly Target[]): Promise<readonly Intent[]> {
  const [intents] = await Promise.all([listIntents(state.storage), ...targets.map(target => makeKnown(state, target))])
  return intents
}

/** Lines were new, nothing failed, and still there was nothing to deliver: whoever held the lease did it. */
function orByAnother(outcome: TargetOutcome): TargetOutcome {
  const { failure, outbox } = outcome
  if (failure !== undefined || outbox === undefined || outbox.delivered !== undefined) return outcome
  return { ...outcome, outbox: { ...outbox, byAnother: true } }
}

/** Leftovers of others' pushes are no reason for this one to fail. */
async function tidyQuietly(state: State, partition: string, intents: readonly Intent[]): Promise<readonly string[]> {
  try {
    const discarded = await discardOrphans(state, intents)
    await sweep(state, partition)
    return discarded.map(({ target }) => `a delivery to ${target} was discarded: its target was removed`)
  } catch (error) {
    return [`leftovers in the state could not be removed: ${messageOf(error)}`]
  }
}

/** Opened when something is known to be new; otherwise each only when there is something for it. */
class Openings {
  #opened: readonly Opening[] | undefined

  constructor(
    private readonly targets: readonly Target[],
    private readonly signal: AbortSignal,
  ) {}

  open(): void {
    this.#opened ??= this.targets.map(target => new Opening(target, this.signal))
  }

  all(): readonly Opening[] {
    return (this.#opened ??= this.targets.map(
      ({ opener, ...target }) => new Opening({ ...target, opener: { ...opener, early: false } }, this.signal),
    ))
  }

  async close(): Promise<void> {
    await Promise.all((this.#opened ?? []).map(opening => opening.close()))
  }
}
