/** Gives targets what they missed, of every commit, or only what somebody began to give them. */

import type { Hash64 } from '../../contract/hash64.js'
import { IngestError } from '../../errors.js'
import type { AuditRow } from '../../state/audit.js'
import { discardOrphans } from '../../state/discard.js'
import { listIntents, type Intent } from '../../state/intent.js'
import type { Partition } from '../../state/keys.js'
import { partitions, sweep } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import type { TargetOutcome } from '../deliver.js'
import { Opening, type Target } from '../opening.js'
import { deliverPending } from './deliver-pending.js'
import { makeKnown } from './make-known.js'

export type DrainOptions = {
  readonly targets: readonly Target[]
  /** Each target is given at most about so many: a file is never cut. */
  readonly maxRecords: number
  /** Nothing new is begun after that. */
  readonly maxDurationMs: number
  readonly hash: Hash64
  readonly waitMs: number
  readonly signal: AbortSignal
}

export type Drained = {
  readonly outcomes: readonly TargetOutcome[]
  /** Of targets that were not named, so that nobody here can reach them. */
  readonly left: readonly Intent[]
  /** One a delivery whose target was removed. */
  readonly discarded: readonly AuditRow[]
  /** Objects of processes that ended before they had taken something in. */
  readonly swept: number
}

export async function drain(state: State, options: DrainOptions): Promise<Drained> {
  const found: Partition[] = []
  for await (const partition of partitions(state.storage)) found.push(partition)
  // One that no push has named yet: from now on it is a target of this state.
  for (const target of options.targets) await makeKnown(state, target)
  return deliver(state, found, options)
}

/** Rolls forward what a process that is gone had begun; everything else stays in the outbox. */
export async function recover(
  state: State,
  options: Omit<DrainOptions, 'maxRecords' | 'maxDurationMs'>,
): Promise<Drained> {
  return deliver(state, [], { ...options, maxRecords: 0, maxDurationMs: Infinity })
}

async function deliver(state: State, found: readonly Partition[], options: DrainOptions): Promise<Drained> {
  const { targets, signal } = options
  const intents = await listIntents(state.storage)
  const openings = targets.map(
    ({ opener, ...target }) => new Opening({ ...target, opener: { ...opener, early: false } }, signal),
  )
  try {
    const outcomes = await Promise.all(
      openings.map(async opening => {
        const room = roomOf(state, options)
        const outcome = await deliverPending(state, opening, { ...options, partitions: found, intents, room })
        return room(0) > 0 ? outcome : cutOff(outcome)
      }),
    )
    const reachable = targets.map(({ opener }) => opener.id)
    const discarded = await discardOrphans(state, intents)
    const gone = discarded.map(({ id }) => id)
    const left = intents.filter(({ id, target }) => !reachable.includes(target) && !gone.includes(id))
    return { outcomes, left, discarded, swept: await sweepAll(state) }
  } finally {
    await Promise.all(openings.map(opening => opening.close()))
  }
}

/** Nothing is green that left something behind, were it told to. */
function cutOff(outcome: TargetOutcome): TargetOutcome {
  const { description, failure, outbox } = outcome
  if (failure !== undefined || outbox === undefined || outbox.kept === 0) return outcome
  const hint = 'run it again for the rest'
  const error = new IngestError('kept', `${description} lacks more than the limits of this run let through`, { hint })
  return { ...outcome, failure: { source: 'the outbox', error } }
}

/** One for each target: what is taken from it is gone. */
function roomOf({ tools }: State, { maxRecords, maxDurationMs }: DrainOptions): (taken: number) => number {
  const started = tools.now()
  let left = maxRecords
  return taken => {
    left -= taken
    return tools.now() - started >= maxDurationMs ? 0 : left
  }
}

async function sweepAll(state: State): Promise<number> {
  let swept = 0
  for await (const partition of partitions(state.storage)) swept += await sweep(state, partition)
  return swept
}
