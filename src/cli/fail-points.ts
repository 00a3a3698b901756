/** Wraps what a command works with where a test asks for faults. */

import type { Environment } from '../commit/ci.js'
import { failPointOf } from '../config/fail-point.js'
import type { Target } from '../delivery/opening.js'
import type { State } from '../state/state.js'

export type Faulty = { readonly state: State; readonly targets: readonly Target[] }

/** Leaves both as they are unless the variable is set. */
export async function withFailPoints(faulty: Faulty, env: Environment): Promise<Faulty> {
  const text = failPointOf(env)
  if (text === undefined) return faulty
  const { FailPoints, parseFailPoint } = await import('../delivery/fail-points.js')
  const points = new FailPoints(parseFailPoint(text))
  return {
    state: { ...faulty.state, storage: points.storage(faulty.state.storage) },
    targets: faulty.targets.map(target => ({ ...target, opener: points.opener(target.name, target.opener) })),
  }
}
