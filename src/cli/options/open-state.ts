/** Opens a state from its configuration. */

import type { StateConfig } from '../../config/state.js'
import { openState } from '../../state/open-state.js'
import type { State } from '../../state/state.js'
import type { Context } from '../context.js'

/** Opens the storage of a state. The caller must close `storage`. */
export function openConfiguredState({ address, leaseMs }: StateConfig, context: Context): Promise<State> {
  const { now, random, signal } = context
  return openState(address, { leaseMs, now, random, signal })
}
