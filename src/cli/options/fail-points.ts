/** Injects faults into the state and targets of a command when a test asks for them. */

import type { Environment } from '../../commit/ci.js'
import type { ReadTargets, Target } from '../../delivery/target.js'
import type { State } from '../../state/state.js'

export type Faulty = {
  readonly state: State
  readonly targets: readonly Target[]
  readonly readTargets?: ReadTargets | undefined
}

/** Returns its argument unchanged unless the fail-point variable is set. */
export async function withFailPoints(faulty: Faulty, env: Environment): Promise<Faulty> {
  const text = env['VORTEX_INGEST_TEST_FAIL_POINT'] || undefined
  if (text === undefined) return faulty
  const { FailPoints, parseFailPoint } = await import('../../delivery/fail-points.js')
  const points = new FailPoints(parseFailPoint(text))
  const { state, targets, readTargets } = faulty
  const withFaults = (target: Target): Target => ({ ...target, opener: points.opener(target.kind, target.opener) })
  return {
    state: { ...state, storage: points.storage(state.storage) },
    targets: targets.map(withFaults),
    readTargets: readTargets && (async storage => (await readTargets(storage)).map(withFaults)),
  }
}
