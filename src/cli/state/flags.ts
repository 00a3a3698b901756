/** What the commands about state have in common. */

import type { StateFlags } from '../../config/state.js'
import type { Action, Format } from '../context.js'

export type StateCommandFlags = StateFlags & {
  readonly format: Format
  readonly dryRun?: boolean
  readonly force?: boolean
  /** Milliseconds. */
  readonly olderThan?: number
}

export type StateAction = Action<StateCommandFlags>
