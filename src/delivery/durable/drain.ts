/** Delivers queued records of every commit (`drain`), or only finishes interrupted deliveries (`recover`). */

import type { Hash64 } from '../../contract/hash64.js'
import { IngestError } from '../../errors.js'
import type { AuditRow } from '../../state/audit.js'
import { discardOrphanedIntents, listIntents, type Intent } from '../../state/intent.js'
import type { Partition } from '../../state/keys.js'
import { partitions, sweepUnnamedLines } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import type { TargetOutcome } from '../deliver.js'
import type { Target } from '../opening.js'
import { deliverPending } from './deliver-pending.js'
import { Followed } from './followed.js'
import { makeKnown } from './make-known.js'
import { begunRecords, keptRecords } from './pending-records.js'
import { inRounds, type Rounds, type TargetsNow } from './registrations.js'

export type DrainOptions = {
  readonly targets: readonly Target[]
  /**
   * Reads the registered targets; called before each delivery and to find targets registered since the command began.
   * Absent for
   * targets given by flags.
   */
  readonly now?: TargetsNow | undefined
  /** Approximate limit of records per target. It may be exceeded, because a batch is never split. */
  readonly maxRecords: number
  /** No delivery begins after this time. */
  readonly maxDurationMs: number
  /** Called per target, before its first delivery, with the approximate number of records it is about to get. */
  readonly onPending?: (records: number) => void
  /** Allows delivering to a target of an older contract version only the part of the records that it can hold. */
  readonly mayDowngrade?: boolean | undefined
  readonly hash: Hash64
  readonly waitMs: number
  readonly signal: AbortSignal
}

export type Drained = Rounds & {
  /** Intents for targets that this command was not given and so cannot reach. */
  readonly left: readonly Intent[]
  /** One audit row per interrupted delivery that was discarded because its target was removed. */
  readonly discarded: readonly AuditRow[]
  /** Number of deleted objects that an interrupted enqueue had left behind. */
  readonly swept: number
}

export async function drain(state: State, options: DrainOptions): Promise<Drained> {
  const found: Partition[] = []
  for await (const partition of partitions(state.storage)) found.push(partition)
  // Registers targets that are new to this state, so that records are retained for them from now on.
  for (const target of options.targets) await makeKnown(state, target)
  return deliver(state, found, { ...options, takesUp: options.now })
}

/** Finishes deliveries whose process is gone. All other records stay in the outbox. */
export async function recover(
  state: State,
  options: Omit<DrainOptions, 'maxRecords' | 'maxDurationMs'>,
): Promise<Drained> {
  return deliver(state, [], { ...options, maxRecords: 0, maxDurationMs: Infinity, takesUp: undefined })
}

type Delivering = DrainOptions & {
  /** Reads the registry for targets that are registered while the command runs; undefined to ignore them. */
  readonly takesUp: TargetsNow | undefined
}

async function deliver(state: State, found: readonly Partition[], options: Delivering): Promise<Drained> {
  const startedAt = state.tools.now()
  const intents = await listIntents(state.storage)
  const known = new Set<string>()
  const rounds = await inRounds(state, { ...options, now: options.takesUp }, async targets => {
    for (const { opener } of targets) known.add(opener.id)
    const round: Round = { ...options, partitions: found, intents, startedAt }
    await tellPending(state, targets, round)
    return deliverTo(state, targets, round)
  })
  const discarded = await discardOrphanedIntents(state, intents)
  const gone = discarded.map(({ id }) => id)
  const left = intents.filter(({ id, target }) => !known.has(target) && !gone.includes(id))
  return { ...rounds, left, discarded, swept: await sweepAll(state) }
}

type Round = DrainOptions & {
  readonly partitions: readonly Partition[]
  readonly intents: readonly Intent[]
  readonly startedAt: number
}

/** Reports the number of pending records. Read errors are ignored here because the delivery will report them. */
async function tellPending(state: State, targets: readonly Target[], round: Round): Promise<void> {
  const { onPending, maxRecords, partitions } = round
  if (onPending === undefined) return
  for (const { opener } of targets) {
    const counts = [keptRecords(state, opener.id, partitions), begunRecords(state, opener.id, round)]
    const [kept = 0, begun = 0] = await Promise.all(counts).catch(() => [])
    onPending(Math.min(kept, maxRecords) + begun)
  }
}

async function deliverTo(state: State, targets: readonly Target[], round: Round): Promise<readonly TargetOutcome[]> {
  const { now, signal } = round
  return Promise.all(
    targets.map(async target => {
      const followed = new Followed(state, target, { now, signal })
      const room = roomOf(state, round)
      try {
        const outcome = await deliverPending(state, followed, { ...round, room })
        return room(0) > 0 ? outcome : cutOff(outcome)
      } finally {
        await followed.close()
      }
    }),
  )
}

/** Stopping at a limit fails with `kept` (exit 75), because records remain queued. */
function cutOff(outcome: TargetOutcome): TargetOutcome {
  const { description, failure, outbox } = outcome
  if (failure !== undefined || outbox === undefined || outbox.kept === 0) return outcome
  const hint = 'run it again for the rest'
  const error = new IngestError('kept', `${description} lacks more than the limits of this run let through`, { hint })
  return { ...outcome, failure: { source: 'the outbox', error } }
}

/**
 * Creates a target's remaining-records counter. The returned function subtracts the records delivered and returns the
 * rest, or 0
 * when time is up.
 */
function roomOf({ tools }: State, { maxRecords, maxDurationMs, startedAt }: Round): (taken: number) => number {
  let left = maxRecords
  return taken => {
    left -= taken
    return tools.now() - startedAt >= maxDurationMs ? 0 : left
  }
}

async function sweepAll(state: State): Promise<number> {
  let swept = 0
  for await (const partition of partitions(state.storage)) swept += await sweepUnnamedLines(state, partition)
  return swept
}
