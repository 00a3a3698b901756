/** Push with state: find what is new in the sources, enqueue it, then deliver from the outbox to every target. */

import { IngestError, messageOf } from '../../errors.js'
import type { Source } from '../../source/source.js'
import { discardOrphanedIntents, listIntents, type Intent } from '../../state/intent.js'
import { sweepUnnamedLines } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import type { TargetOutcome } from '../deliver.js'
import { keptFor } from '../kept-rows.js'
import { Opening, type Target } from '../opening.js'
import type { Pushed, PushOptions } from '../push.js'
import { deliverPending, type PendingOptions } from './deliver-pending.js'
import { Followed } from './followed.js'
import { makeKnown } from './make-known.js'
import { inRounds, type Rounds, type TargetsNow } from './registrations.js'
import { takeIn, type SourceTaken } from './take-in.js'

export type DurablePushOptions = PushOptions & {
  /**
   * Reads the registered targets: called once the command starts, before each delivery, and to find targets registered
   * since. Absent
   * for targets given by flags.
   */
  readonly now?: TargetsNow | undefined
  /** How long to wait for another process that holds the lease, in milliseconds. */
  readonly waitMs: number
  /** Reads the sources from their start, whatever was enqueued before, and delivers all their queued records again. */
  readonly fullRefresh: boolean
}

export type DurablyPushed = Pushed & {
  readonly sources: readonly SourceTaken[]
  readonly warnings: readonly string[]
}

/**
 * Enqueues the new records of the sources and delivers them. The failure of a target is part of its outcome.
 * @throws {IngestError} when nothing could be enqueued
 */
export async function pushDurably(
  state: State,
  sources: readonly Source[],
  options: DurablePushOptions,
): Promise<DurablyPushed> {
  const { fullRefresh, dryRun = false } = options
  const ready = prepare(state, options)
  // Handled where `ready` is awaited; until then the rejection must not count as unhandled.
  ready.catch(() => undefined)
  const openings = new Openings(options.targets, options.signal)
  const kept = dryRun ? undefined : keptFor<string>(options.targets, options.hash)
  try {
    const taken = await takeIn(state, sources, {
      ...options,
      ready,
      dryRun,
      fromStart: fullRefresh,
      kept,
      openers: async () => (await ready).targets.map(({ opener }) => opener),
      commitSha: options.commitSha,
      // Connecting overlaps with checking. No record is sent before all are checked.
      onNew: () => dryRun || openings.open(),
    })
    const { intents, targets } = await ready
    const { inspections, commitSha, commit, partition } = taken
    const pushed: DurablyPushed = { inspections, commitSha, commit, sources: taken.sources, outcomes: [], warnings: [] }
    if (partition === undefined || dryRun) return pushed
    const pending = { ...options, targets, partitions: [partition], intents, kept }
    const [tidied, rounds] = await Promise.all([
      tidyQuietly(state, partition, intents),
      deliverRounds(state, openings, pending),
    ])
    // A source that only gained blank lines has nothing new.
    const isNew = taken.sources.some(({ change }) => change === 'new') || inspections.some(({ records }) => records > 0)
    const outcomes = orNobody(rounds.outcomes)
    return {
      ...pushed,
      outcomes: isNew ? outcomes.map(orByAnother) : outcomes,
      warnings: [...taken.warnings, ...tidied, ...rounds.warnings],
    }
  } finally {
    await Promise.allSettled([ready, openings.close()])
  }
}

type Ready = {
  /** All existing intents. */
  readonly intents: readonly Intent[]
  /** The registered targets, followed by targets removed since the command began, so that their removal is reported. */
  readonly targets: readonly Target[]
}

/** Reads the registry and the intents and registers the targets. Runs while the sources are read. */
async function prepare(state: State, options: DurablePushOptions): Promise<Ready> {
  const { targets: first, now, dryRun = false } = options
  const found = (await now?.(state.storage)) ?? first
  const removed = first.filter(({ opener }) => !found.some(one => one.opener.id === opener.id))
  const known = dryRun ? [] : found
  const [intents] = await Promise.all([listIntents(state.storage), ...known.map(target => makeKnown(state, target))])
  return { intents, targets: [...found, ...removed] }
}

type Delivering = DurablePushOptions & PendingOptions

async function deliverRounds(state: State, openings: Openings, options: Delivering): Promise<Rounds> {
  const { now, signal, fullRefresh } = options
  return inRounds(state, options, targets =>
    Promise.all(
      targets.map(async target => {
        const followed = new Followed(state, target, { now, signal, opening: openings.take(target) })
        return deliverPending(state, followed, { ...options, fromStart: fullRefresh }).finally(() => followed.close())
      }),
    ),
  )
}

/** Fails the command when every target has been removed, because the records are then only in the outbox. */
function orNobody(outcomes: readonly TargetOutcome[]): readonly TargetOutcome[] {
  if (outcomes.some(({ failure, outbox }) => failure !== undefined || outbox?.isRemoved !== true)) return outcomes
  const hint = 'register a target (vortex-ingest targets add), then vortex-ingest drain'
  const error = new IngestError('kept', 'no target is registered any more: the outbox keeps the records', { hint })
  return outcomes.map(({ registered, ...outcome }) => ({
    ...outcome,
    ...(registered && { registered: { ...registered, isRequired: true } }),
    failure: { source: 'the outbox', error },
  }))
}

/** Marks an outcome where there were new records but nothing was left to deliver: another process delivered them. */
function orByAnother(outcome: TargetOutcome): TargetOutcome {
  const { failure, outbox } = outcome
  if (failure !== undefined || outbox === undefined || outbox.delivered !== undefined) return outcome
  if (outbox.isRemoved === true) return outcome
  return { ...outcome, outbox: { ...outbox, byAnother: true } }
}

/** Removes leftovers of other commands. Failures become warnings, because leftovers must not fail this push. */
async function tidyQuietly(state: State, partition: string, intents: readonly Intent[]): Promise<readonly string[]> {
  try {
    const discarded = await discardOrphanedIntents(state, intents)
    await sweepUnnamedLines(state, partition)
    return discarded.map(({ target }) => `a delivery to ${target} was discarded: its target was removed`)
  } catch (error) {
    return [`leftovers in the state could not be removed: ${messageOf(error)}`]
  }
}

/** The targets' connections, which are opened once it is known that there is something new to deliver. */
class Openings {
  readonly #opened = new Map<Target, Opening>()

  constructor(
    private readonly targets: readonly Target[],
    private readonly signal: AbortSignal,
  ) {}

  open(): void {
    for (const target of this.targets)
      if (!this.#opened.has(target)) this.#opened.set(target, new Opening(target, this.signal))
  }

  /**
   * Hands a connection over; the caller closes it.
   * @returns undefined when the target was not opened
   */
  take(target: Target): Opening | undefined {
    const opening = this.#opened.get(target)
    this.#opened.delete(target)
    return opening
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map(opening => opening.close()))
  }
}
