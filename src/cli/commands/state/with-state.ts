/** Opens a state for the duration of one command. */

import type { StateConfig, StateFlags } from '../../../config/state.js'
import { IngestError } from '../../../errors.js'
import type { State } from '../../../state/state.js'
import type { Context, Action, Format } from '../../context.js'
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

export type RegistryFlags = StateFlags & {
  readonly format: Format
  readonly secretEnv?: string
  readonly bestEffort?: boolean
  readonly required?: boolean
  readonly bucket?: string
  readonly insecureLocal?: boolean
  readonly rolePolicy?: string
  readonly region?: string
  /** False with `--no-check`. */
  readonly check?: boolean
  readonly root?: string
  readonly file?: string
  readonly target?: string
  /** Maximum age of events in milliseconds. */
  readonly since?: number
  readonly limit?: number
  readonly minutes?: number
}

export type RegistryAction = Action<RegistryFlags>

export type StateCommandFlags = StateFlags & {
  readonly format: Format
  readonly dryRun?: boolean
  readonly force?: boolean
  /** Minimum age in milliseconds. */
  readonly olderThan?: number
}

export type StateAction = Action<StateCommandFlags>
