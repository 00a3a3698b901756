/** Opens an existing state, for commands that require one. */

import type { StateConfig } from '../../../config/state.js'
import { IngestError } from '../../../errors.js'
import type { State } from '../../../state/state.js'
import type { Storage } from '../../../storage/storage.js'
import type { Context } from '../../context.js'
import { openConfiguredState } from '../../options/open-state.js'

/**
 * Opens a state that is not empty. The caller must close `storage`.
 * @throws {IngestError} `no_input` for an empty place, so that a mistyped name does not create a new state
 */
export async function openUsedState(config: StateConfig, context: Context): Promise<State> {
  const state = await openConfiguredState(config, context)
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
