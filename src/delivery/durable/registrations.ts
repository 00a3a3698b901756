/** What an operator changes about targets while they are delivered to. */

import { messageOf } from '../../errors.js'
import { readRegistry, type Registry } from '../../state/registry.js'
import type { State } from '../../state/state.js'
import { recordTarget } from '../../state/target-record.js'
import type { Storage } from '../../storage/storage.js'
import type { OutboxOutcome, TargetOutcome } from '../deliver.js'
import type { Target } from '../opening.js'
import { makeKnown } from './make-known.js'

/** Registered targets as they are at the moment: one about which nothing changed is the same object as before. */
export type TargetsNow = (storage: Storage) => Promise<readonly Target[]>

/** What a command has delivered, and what it could not find out about its targets. */
export type Rounds = { readonly outcomes: readonly TargetOutcome[]; readonly warnings: readonly string[] }

export type RoundsOptions = {
  /** Those of the first round. */
  readonly targets: readonly Target[]
  /** Absent where targets that are registered meanwhile are not taken up. */
  readonly now?: TargetsNow | undefined
  readonly signal: AbortSignal
}

/** Those of the first round, then those that were registered meanwhile, until there are no more. */
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
    // Whoever was removed may be registered again by now.
    for (const { registered, outbox } of outcomes)
      if (registered !== undefined && outbox?.isRemoved === true) known.delete(registered.identity)
    // What was delivered is told, whatever becomes of the registry.
    round = signal.aborted ? [] : await added(state, known, now).catch(unread(warnings, []))
  }
  // What was interrupted ends as such.
  if (signal.aborted) return { outcomes, warnings }
  return { outcomes: await asRegisteredNow(state, outcomes).catch(unread(warnings, outcomes)), warnings }
}

/** One that was removed and registered again is one to whoever reads. */
function withOutcome(outcomes: readonly TargetOutcome[], next: TargetOutcome): readonly TargetOutcome[] {
  const before = outcomes.find(one => one.registered !== undefined && isSame(one, next))
  if (before === undefined) return [...outcomes, next]
  return outcomes.map(one => (one === before ? continued(before, next) : one))
}

function isSame(one: TargetOutcome, { registered }: TargetOutcome): boolean {
  return one.registered?.identity === registered?.identity
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

/** Whose failure counts is decided by what is registered when all is done. */
async function asRegisteredNow(state: State, outcomes: readonly TargetOutcome[]): Promise<readonly TargetOutcome[]> {
  if (outcomes.every(({ registered }) => registered === undefined)) return outcomes
  const registry = await readRegistry(state.storage)
  const found = outcomes.map(outcome => ofRegistry(registry, outcome))
  await keepForAll(state, found)
  return found
}

/** Who was removed after its last delivery, and registered again, is not known any more, and lacks what it did before. */
async function keepForAll(state: State, outcomes: readonly TargetOutcome[]): Promise<void> {
  for (const { name, description, registered, outbox } of outcomes)
    if (registered !== undefined && outbox !== undefined && outbox.kept > 0)
      await recordTarget(state, { id: registered.identity, kind: name, description })
}

function ofRegistry({ targets }: Registry, outcome: TargetOutcome): TargetOutcome {
  const { registered, failure, outbox } = outcome
  if (registered === undefined || outbox === undefined) return outcome
  const found = [...targets.values()].find(({ identity }) => identity === registered.identity)
  const now = { ...outcome, registered: { ...registered, isRequired: found?.isRequired ?? false } }
  if (found !== undefined || (failure === undefined && outbox.isRemoved !== true)) return now
  return { ...now, failure: undefined, outbox: { ...outbox, kept: 0, isRemoved: true } }
}
