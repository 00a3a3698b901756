/** Opens the state and looks up the registered target of a command. */

import { requiredStateConfig, type StateFlags } from '../../../config/state.js'
import { IngestError } from '../../../errors.js'
import { readRegistry, type RegisteredTarget } from '../../../state/registry.js'
import type { State } from '../../../state/state.js'
import { requireTarget } from '../../../state/targets.js'
import type { Context, Action, Format } from '../../context.js'
import { withFailPoints } from '../../options/fail-points.js'
import { withState } from '../state/with-state.js'

/** @throws {IngestError} `usage` without `--target`, `not_found` for a target that is not registered */
export function withTarget(
  flags: TuningFlags,
  context: Context,
  work: (state: State, target: RegisteredTarget) => Promise<number>,
): Promise<number> {
  const { target: name } = flags
  if (name === undefined) throw missing('--target', 'vortex-ingest targets ls shows the registered targets')
  return withState(requiredStateConfig(flags, context.env), context, async opened => {
    const { state } = await withFailPoints({ state: opened, targets: [] }, context.env)
    return work(state, requireTarget(await readRegistry(state.storage), name))
  })
}

export function missing(flag: string, hint: string): IngestError {
  return new IngestError('usage', `${flag} is missing`, { hint })
}

export type TuningFlags = StateFlags & {
  readonly format: Format
  readonly target?: string
  readonly sample?: string
  readonly trials?: number
  /** Time limit in milliseconds. */
  readonly budget?: number
  readonly maxTrialsPerHour?: number
  readonly trial?: string
  readonly note?: string
  readonly by?: string
}

export type TuningAction = Action<TuningFlags>
