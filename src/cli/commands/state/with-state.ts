/** Opens a state for the duration of one command. */

import type { StateConfig } from '../../../config/state.js'
import { IngestError } from '../../../errors.js'
import type { State } from '../../../state/state.js'
import type { Context } from '../../context.js'
import { openConfiguredState } from '../../options/open-state.js'

/** @throws {IngestError} `usage` for a state in memory, which is always empty when a command starts */
export async function withState(
  config: StateConfig,
  context: Context,
  work: (state: State) => Promise<number>,
): Promise<number> {
  if (config.address.kind === 'memory')
    throw new IngestError('usage', 'a state in memory is gone with the process that wrote it', {
      hint: 'name a folder or s3://',
    })
  const state = await openConfiguredState(config, context)
  try {
    return await work(state)
  } finally {
    await state.storage.close()
  }
}
