/** Types that the `state` commands share. */

import type { StateFlags } from '../../config/state.js'
import type { Action, Format } from '../context.js'

export type StateCommandFlags = StateFlags & {
  readonly format: Format
  readonly dryRun?: boolean
  readonly force?: boolean
  /** Minimum age in milliseconds. */
  readonly olderThan?: number
}

export type StateAction = Action<StateCommandFlags>
