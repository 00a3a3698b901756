/** What an operator changes about targets while they are delivered to. */

import { readRegistry } from '../../state/registry.js'
import type { State } from '../../state/state.js'
import type { TargetOutcome } from '../deliver.js'
import type { Target } from '../opening.js'

/** Whether it is still where records go: a target that flags name is, and one that was removed, or replaced, is not. */
export async function isWanted({ storage }: State, { registered, opener }: Target): Promise<boolean> {
  if (registered === undefined) return true
  return (await readRegistry(storage)).targets.get(registered.name)?.identity === opener.id
}

/** Whose failure counts is decided by what is registered when all is done. */
export async function asRegisteredNow(
  { storage }: State,
  outcomes: readonly TargetOutcome[],
): Promise<readonly TargetOutcome[]> {
  if (outcomes.every(({ registered }) => registered === undefined)) return outcomes
  const { targets } = await readRegistry(storage)
  return outcomes.map(outcome => {
    const { registered } = outcome
    const isRequired = registered && targets.get(registered.name)?.isRequired
    return registered === undefined || isRequired === undefined
      ? outcome
      : { ...outcome, registered: { ...registered, isRequired } }
  })
}
