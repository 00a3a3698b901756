/** Follows the changes that an operator makes to registered targets while a command delivers to them. */

import { messageOf } from '../../errors.js'
import { readRegistry, type Registry } from '../../state/registry.js'
import type { State } from '../../state/state.js'
import { recordTarget } from '../../state/target-record.js'
import type { Storage } from '../../storage/storage.js'
import type { OutboxOutcome, TargetOutcome } from '../deliver.js'
import type { Target } from '../opening.js'
import { makeKnown } from './make-known.js'

/**
 * Reads the currently registered targets. A target whose registration has not changed is the same object as in the call
 * before.
 */
export type TargetsNow = (storage: Storage) => Promise<readonly Target[]>

/** The outcomes of a command, and warnings about registrations that could not be read. */
export type Rounds = { readonly outcomes: readonly TargetOutcome[]; readonly warnings: readonly string[] }

export type RoundsOptions = {
  /** The targets of the first round. */
  readonly targets: readonly Target[]
  /** Reads the registered targets; absent to ignore targets that are registered while the command runs. */
  readonly now?: TargetsNow | undefined
  readonly signal: AbortSignal
}

/** Delivers to the given targets, then to targets registered meanwhile, until there are no new ones. */
export async function inRounds(
  state: State,
  { targets, now, signal }: RoundsOptions,
  deliverTo: (targets: readonly Target[]) => Promise<readonly TargetOutcome[]>,
): Promise<Rounds> {
  let outcomes: readonly TargetOutcome[] = []
  const warnings: string[] = []
  const known = new Set<string>()
  for (let round = targets; round.length > 0;) {
    for (const { opener } of round) known.add(opener.id)
    outcomes = (await deliverTo(round)).reduce(withOutcome, outcomes)
    // A removed target may have been registered again by now, and is then delivered to again.
    for (const { id, registered, outbox } of outcomes)
      if (registered !== undefined && outbox?.isRemoved === true) known.delete(id)
    // Outcomes are reported even when the registry cannot be read.
    round = signal.aborted ? [] : await added(state, known, now).catch(unread(warnings, []))
  }
  // An interrupted command does no further work.
  if (signal.aborted) return { outcomes, warnings }
  return { outcomes: await asRegisteredNow(state, outcomes).catch(unread(warnings, outcomes)), warnings }
}

/** Adds an outcome. A target that was removed and registered again has one outcome, merged from both. */
function withOutcome(outcomes: readonly TargetOutcome[], next: TargetOutcome): readonly TargetOutcome[] {
  const before = outcomes.find(one => one.registered !== undefined && one.id === next.id)
  if (before === undefined) return [...outcomes, next]
  return outcomes.map(one => (one === before ? continued(before, next) : one))
}

function continued(before: TargetOutcome, next: TargetOutcome): TargetOutcome {
  const { outbox: first } = before
  const { outbox: last } = next
  return {
    ...next,
    receipts: [...before.receipts, ...next.receipts],
    retries: [...before.retries, ...next.retries],
    durationMs: before.durationMs + next.durationMs,
    ...(first !== undefined && last !== undefined && { outbox: goneOn(first, last) }),
  }
}

function goneOn(first: OutboxOutcome, last: OutboxOutcome): OutboxOutcome {
  const delivered = last.delivered && { ...last.delivered, since: first.delivered?.since ?? last.delivered.since }
  return {
    ...last,
    delivered: delivered ?? first.delivered,
    audited: [...first.audited, ...last.audited],
    warnings: [...first.warnings, ...last.warnings],
  }
}

async function added(
  state: State,
  known: ReadonlySet<string>,
  now: TargetsNow | undefined,
): Promise<readonly Target[]> {
  const targets = (await now?.(state.storage))?.filter(({ opener }) => !known.has(opener.id)) ?? []
  for (const target of targets) await makeKnown(state, target)
  return targets
}

function unread<T>(warnings: string[], instead: T): (error: unknown) => T {
  return error => {
    warnings.push(`what is registered now could not be read, so what was before decides: ${messageOf(error)}`)
    return instead
  }
}

/**
 * Updates the outcomes from the registry as it is at the end, which decides whether a target's failure fails the
 * command.
 */
async function asRegisteredNow(state: State, outcomes: readonly TargetOutcome[]): Promise<readonly TargetOutcome[]> {
  if (outcomes.every(({ registered }) => registered === undefined)) return outcomes
  const registry = await readRegistry(state.storage)
  const found = outcomes.map(outcome => ofRegistry(registry, outcome))
  await keepForAll(state, found)
  return found
}

/**
 * Records targets with queued records in the state again. One that was removed after its last delivery and registered
 * again has
 * lost its record, and without it the records would not be retained.
 */
async function keepForAll(state: State, outcomes: readonly TargetOutcome[]): Promise<void> {
  for (const { id, kind, description, registered, outbox } of outcomes)
    if (registered !== undefined && outbox !== undefined && outbox.kept > 0)
      await recordTarget(state, { id, kind, description })
}

function ofRegistry({ targets }: Registry, outcome: TargetOutcome): TargetOutcome {
  const { id, registered, failure, outbox } = outcome
  if (registered === undefined || outbox === undefined) return outcome
  const found = [...targets.values()].find(({ identity }) => identity === id)
  const now = { ...outcome, registered: { ...registered, isRequired: found?.isRequired ?? false } }
  if (found !== undefined || (failure === undefined && outbox.isRemoved !== true)) return now
  return { ...now, failure: undefined, outbox: { ...outbox, kept: 0, isRemoved: true } }
}
