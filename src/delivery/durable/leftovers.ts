/** Removes what interrupted commands have left in the state. */

import { messageOf } from '../../errors.js'
import { discardOrphanedIntents, type Intent } from '../../state/intent.js'
import type { Partition } from '../../state/keys.js'
import { partitions, sweepUnnamedLines } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import type { Emit } from '../events.js'

/** Removes leftovers of other commands. Failures become warnings, because leftovers must not fail a push. */
export async function removeLeftovers(
  state: State,
  partition: Partition,
  { intents, emit }: { readonly intents: readonly Intent[]; readonly emit: Emit },
): Promise<void> {
  try {
    const discarded = await discardOrphanedIntents(state, intents)
    await sweepUnnamedLines(state, partition)
    for (const { target } of discarded)
      emit({ type: 'warned', message: `a delivery to ${target} was discarded: its target was removed` })
  } catch (error) {
    emit({ type: 'warned', message: `leftovers in the state could not be removed: ${messageOf(error)}` })
  }
}

/** Deletes the objects of all partitions that an interrupted enqueue has left behind. @returns how many */
export async function removeUnnamedLines(state: State): Promise<number> {
  let swept = 0
  for await (const partition of partitions(state.storage)) swept += await sweepUnnamedLines(state, partition)
  return swept
}
