/** `drain` delivers queued records of every commit. `recover` only finishes interrupted deliveries. */

import { wasmHash64 } from '../contract/hash64.js'
import type { AuditRow } from '../state/audit.js'
import { discardOrphanedIntents, listIntents, type Intent } from '../state/intent.js'
import type { Partition } from '../state/keys.js'
import { partitions } from '../state/outbox.js'
import type { State } from '../state/state.js'
import { TargetConnections } from './target-connection.js'
import { DeliveryJournal } from './durable/delivery-journal.js'
import { removeUnnamedLines } from './durable/leftovers.js'
import { deliverFromOutbox, type OutboxOptions, countBegunRecords, countQueuedRecords } from './durable/outbox-queue.js'
import { deliverInRounds, registerTarget, type TargetEnd } from './durable/registrations.js'
import type { Emit } from './events.js'
import { ResultReducer, type DeliveryResult } from './result.js'
import { explainSettings, type ExplainedSettings } from './settings.js'
import type { ReadTargets, Target } from './target.js'
import type { Requirements } from './verdict.js'

export type RecoverOptions = Requirements & {
  readonly state: State
  readonly targets: readonly Target[]
  /** Reads the registered targets again, which an operator may change meanwhile. Absent for targets given by flags. */
  readonly readTargets?: ReadTargets | undefined
  /** Allows delivering to a target of an older contract version only the part of the records that it can hold. */
  readonly mayDowngrade?: boolean | undefined
  /** How long to wait for another process that delivers to the same target, in milliseconds. Default: 0. */
  readonly waitMs?: number | undefined
  /** Adds the write settings of each target to the result. */
  readonly explain?: boolean | undefined
  /** Called with each event, in order. */
  readonly onEvent?: Emit | undefined
  /** Stops the command. Its reason becomes the error of what was not delivered. */
  readonly signal?: AbortSignal | undefined
}

export type DrainOptions = RecoverOptions & {
  /** Approximate limit of records per target. It may be exceeded, because a batch is never split. Default: no limit. */
  readonly maxRecords?: number | undefined
  /** No delivery begins after this time. Default: no limit. */
  readonly maxDurationMs?: number | undefined
}

export type DrainResult = DeliveryResult & {
  /** Intents for targets that this command was not given and so cannot reach. */
  readonly left: readonly Intent[]
  /** One audit row per interrupted delivery that was discarded because its target was removed. */
  readonly discarded: readonly AuditRow[]
  /** Number of deleted objects that an interrupted enqueue had left behind. */
  readonly swept: number
  /** With `explain`. */
  readonly explained: readonly ExplainedSettings[] | undefined
}

/**
 * Delivers to each target everything in the outbox that it does not have yet, commit by commit.
 * @returns one result per target; the failure of a target is part of its result and is not thrown. Stopping at a limit
 *   is a failure, because records stay queued
 */
export async function drain(options: DrainOptions): Promise<DrainResult> {
  const { state, targets, maxRecords = Infinity, maxDurationMs = Infinity } = options
  const found: Partition[] = []
  for await (const partition of partitions(state.storage)) found.push(partition)
  // Registers targets that are new to this state, so that records are retained for them from now on.
  for (const target of targets) await registerTarget(state, target)
  return deliverPartitions(found, { ...options, run: 'drain', maxRecords, maxDurationMs })
}

/** Finishes deliveries whose process is gone. All other records stay in the outbox. */
export async function recover(options: RecoverOptions): Promise<DrainResult> {
  return deliverPartitions([], { ...options, run: 'recover', maxRecords: 0, maxDurationMs: Infinity })
}

type Delivering = RecoverOptions & {
  /** Name of the command, for the journal. */
  readonly run: 'drain' | 'recover'
  readonly maxRecords: number
  readonly maxDurationMs: number
}

async function deliverPartitions(found: readonly Partition[], options: Delivering): Promise<DrainResult> {
  const { state, targets, signal = new AbortController().signal, onEvent } = options
  const startedAt = state.tools.now()
  const reducer = new ResultReducer({ ...options, hasOutbox: true })
  const journal = new DeliveryJournal(state, options.run)
  const emit: Emit = event => {
    reducer.apply(event)
    journal.note(event)
    onEvent?.(event)
  }
  const intents = await listIntents(state.storage)
  const connections = new TargetConnections({ emit, signal })
  // Recovery delivers only to targets that were registered when it began.
  const newTargets = options.run === 'drain' ? options.readTargets : undefined
  const hash = await wasmHash64()
  const round: Round = {
    ...options,
    waitMs: options.waitMs ?? 0,
    partitions: found,
    hash,
    intents,
    startedAt,
    emit,
    signal,
    connections,
  }
  const ends = await deliverInRounds(state, { targets, readTargets: newTargets, emit, signal }, targets =>
    deliverRound(targets, round),
  )
  const discarded = await discardOrphanedIntents(state, intents)
  const gone = discarded.map(({ id }) => id)
  const known = ends.map(({ target }) => target.opener.id)
  const left = intents.filter(({ id, target }) => !known.includes(target) && !gone.includes(id))
  const swept = await removeUnnamedLines(state)
  await journal.close(emit)
  const result = reducer.result()
  const explained = options.explain === true ? await explainSettings(targets, result.targets, state) : undefined
  return { ...result, left, discarded, swept, explained }
}

type Round = Delivering &
  Pick<OutboxOptions, 'partitions' | 'hash' | 'intents' | 'waitMs' | 'emit' | 'signal'> & {
    readonly startedAt: number
    readonly connections: TargetConnections
  }

async function deliverRound(targets: readonly Target[], round: Round): Promise<readonly TargetEnd[]> {
  const { state, connections, onEvent } = round
  if (onEvent !== undefined) await expectRecords(targets, round)
  return Promise.all(
    targets.map(target =>
      deliverFromOutbox(state, connections.get(target), { ...round, remaining: remainingRecords(round) }),
    ),
  )
}

/** Tells how much is pending. Read errors are ignored here because the delivery will report them. */
async function expectRecords(targets: readonly Target[], round: Round): Promise<void> {
  const { state, emit, maxRecords, partitions } = round
  for (const target of targets) {
    const { id } = target.opener
    const counts = [countQueuedRecords(state, id, partitions), countBegunRecords(state, id, round)]
    const [queued = 0, begun = 0] = await Promise.all(counts).catch(() => [])
    emit({ type: 'expected', target, records: Math.min(queued, maxRecords) + begun })
  }
}

/**
 * Creates a target's counter. The returned function subtracts the records delivered and returns how many more may be
 * delivered, or 0 when time is up.
 */
function remainingRecords({ state, maxRecords, maxDurationMs, startedAt }: Round): (delivered: number) => number {
  let left = maxRecords
  return delivered => {
    left -= delivered
    return state.tools.now() - startedAt >= maxDurationMs ? 0 : left
  }
}
