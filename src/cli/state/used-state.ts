/** Opens a state that has been used, for commands that are nothing without one. */

import type { StateConfig } from '../../config/state.js'
import { IngestError } from '../../errors.js'
import type { State } from '../../state/state.js'
import type { Storage } from '../../storage/storage.js'
import type { Context } from '../context.js'
import { openState } from '../open-state.js'

/**
 * The caller closes its storage.
 * @throws {IngestError} `no_input` for a place that holds nothing: a name that was mistyped must not become a state
 */
export async function openUsedState(config: StateConfig, context: Context): Promise<State> {
  const state = await openState(config, context)
  try {
    await assertUsed(state.storage)
    return state
  } catch (error) {
    await state.storage.close()
    throw error
  }
}

async function assertUsed(storage: Storage): Promise<void> {
  const { objects } = await storage.list('', { limit: 1 })
  if (objects.length > 0) return
  const hint = 'check what --state names: a push with it is what makes a state'
  throw new IngestError('no_input', `no push has used ${storage.description} yet`, { hint })
}
