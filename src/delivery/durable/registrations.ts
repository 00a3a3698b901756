/** Follows the changes that an operator makes to registered targets while a command delivers to them. */

import { IngestError, messageOf } from '../../errors.js'
import { listIntents, type Intent } from '../../state/intent.js'
import { readRegistry } from '../../state/registry.js'
import type { State } from '../../state/state.js'
import { recordTarget } from '../../state/target-record.js'
import { isSameRegistration, type TargetConnection } from '../target-connection.js'
import type { Emit } from '../events.js'
import type { ReadTargets, Target } from '../target.js'

export type RegistrationOptions = {
  readonly targets: readonly Target[]
  /** Reads the registered targets; absent to ignore changes of the registry while the command runs. */
  readonly readTargets?: ReadTargets | undefined
  readonly emit: Emit
  readonly signal: AbortSignal
}

/** How delivery to one target ended. */
export type TargetEnd = {
  readonly target: Target
  readonly hasFailed: boolean
  readonly isRemoved: boolean
  /** Number of records that stay in the outbox for the target. */
  readonly queued: number
}

export type PreparedTargets = {
  /** All existing intents. */
  readonly intents: readonly Intent[]
  /** The registered targets, followed by targets removed since the command began, so that their removal is reported. */
  readonly targets: readonly Target[]
}

/** Records a command's target in the state, so that records are retained until they are delivered to it. */
export function registerTarget(state: State, { kind, opener }: Target): Promise<void> {
  return recordTarget(state, { id: opener.id, kind, description: opener.description })
}

/** Reads the registry and the intents and registers the targets. Runs while the sources are read. */
export async function prepareTargets(
  state: State,
  { targets: first, readTargets, dryRun }: Pick<RegistrationOptions, 'targets' | 'readTargets'> & { dryRun: boolean },
): Promise<PreparedTargets> {
  const found = (await readTargets?.(state.storage)) ?? first
  const removed = first.filter(({ opener }) => !found.some(one => one.opener.id === opener.id))
  const known = dryRun ? [] : found
  const [intents] = await Promise.all([
    listIntents(state.storage),
    ...known.map(target => registerTarget(state, target)),
  ])
  return { intents, targets: [...found, ...removed] }
}

/**
 * Checks the registration before a delivery. A target given by flags is always wanted. A target that was registered
 * again in the same place, for example with a new token, is opened again.
 * @returns false once the target is no longer registered
 * @throws {IngestError} when the registry cannot be read
 */
export async function isStillRegistered(
  state: State,
  connection: TargetConnection,
  readTargets: ReadTargets | undefined,
): Promise<boolean> {
  const { target } = connection
  if (readTargets === undefined || target.registered === undefined) return true
  if (connection.isRemoved) return false
  const found = (await readTargets(state.storage)).find(({ opener }) => opener.id === target.opener.id)
  if (found === undefined) connection.remove()
  else if (!isSameRegistration(found, target)) {
    // The target may have been removed and registered again, which deletes what the state recorded about it.
    await registerTarget(state, found)
    await connection.replace(found)
  }
  return found !== undefined
}

/** Delivers to the given targets, then to targets registered meanwhile, until there are no new ones. */
export async function deliverInRounds(
  state: State,
  { targets, readTargets, emit, signal }: RegistrationOptions,
  deliverRound: (targets: readonly Target[]) => Promise<readonly TargetEnd[]>,
): Promise<readonly TargetEnd[]> {
  const ends = new Map<string, TargetEnd>()
  // Results are reported even when the registry cannot be read.
  const warnUnread = (error: unknown): void =>
    emit({
      type: 'warned',
      message: `the registered targets could not be read again, so what was read before decides: ${messageOf(error)}`,
    })
  for (let round = targets; round.length > 0;) {
    for (const end of await deliverRound(round)) ends.set(end.target.opener.id, end)
    // An interrupted command does no further work.
    if (signal.aborted) return [...ends.values()]
    round = await newTargets(state, ends, readTargets).catch(error => (warnUnread(error), []))
  }
  const all = [...ends.values()]
  return readFinalRegistrations(state, all, emit).catch(error => (warnUnread(error), all))
}

/** Targets that were registered since the last round. A removed target may have been registered again by now. */
async function newTargets(
  state: State,
  ends: ReadonlyMap<string, TargetEnd>,
  readTargets: ReadTargets | undefined,
): Promise<readonly Target[]> {
  const isDone = ({ opener }: Target): boolean => ends.get(opener.id)?.isRemoved === false
  const targets = (await readTargets?.(state.storage))?.filter(target => !isDone(target)) ?? []
  for (const target of targets) await registerTarget(state, target)
  return targets
}

/** Reads the registry as it is at the end, which decides whether a target's failure fails the command. */
async function readFinalRegistrations(
  state: State,
  ends: readonly TargetEnd[],
  emit: Emit,
): Promise<readonly TargetEnd[]> {
  if (ends.every(({ target }) => target.registered === undefined)) return ends
  const registry = await readRegistry(state.storage)
  const registered = new Map([...registry.targets.values()].map(one => [one.identity, one]))
  const isGone = ({ target, hasFailed, isRemoved }: TargetEnd): boolean =>
    target.registered !== undefined && !registered.has(target.opener.id) && (hasFailed || isRemoved)
  // A target that was removed after its last delivery and registered again has lost its record, and without it the
  // queued records would not be retained.
  for (const end of ends)
    if (end.target.registered !== undefined && end.queued > 0 && !isGone(end)) await registerTarget(state, end.target)
  for (const end of ends) {
    const { target } = end
    if (target.registered === undefined) continue
    const isRequired = registered.get(target.opener.id)?.isRequired ?? false
    emit({ type: 'registration-read', target, isRequired })
    if (isGone(end)) emit({ type: 'removed', target })
  }
  return ends.map(end => (isGone(end) ? { ...end, hasFailed: false, isRemoved: true, queued: 0 } : end))
}

/** Fails the command when every target has been removed, because the records are then only in the outbox. */
export function failWithoutTargets(ends: readonly TargetEnd[], emit: Emit): void {
  if (ends.some(({ hasFailed, isRemoved }) => hasFailed || !isRemoved)) return
  const hint = 'register a target (vortex-ingest targets add), then vortex-ingest drain'
  const error = new IngestError('queued', 'no target is registered any more: the records stay queued', { hint })
  for (const { target } of ends) {
    emit({ type: 'registration-read', target, isRequired: true })
    emit({ type: 'failed', target, source: 'the outbox', error })
  }
}
