/** Injects faults into the state and targets of a command when a test asks for them. */

import type { Environment } from '../../commit/ci.js'
import type { TargetsNow } from '../../delivery/durable/registrations.js'
import type { Target } from '../../delivery/opening.js'
import type { State } from '../../state/state.js'

export type Faulty = {
  readonly state: State
  readonly targets: readonly Target[]
  readonly now?: TargetsNow | undefined
}

/** Returns its argument unchanged unless the fail-point variable is set. */
export async function withFailPoints(faulty: Faulty, env: Environment): Promise<Faulty> {
  const text = env['VORTEX_INGEST_TEST_FAIL_POINT'] || undefined
  if (text === undefined) return faulty
  const { FailPoints, parseFailPoint } = await import('../../delivery/fail-points.js')
  const points = new FailPoints(parseFailPoint(text))
  const { targets, now } = faulty
  const faultyTarget = once((target: Target) => ({ ...target, opener: points.opener(target.kind, target.opener) }))
  return {
    state: { ...faulty.state, storage: points.storage(faulty.state.storage) },
    targets: targets.map(faultyTarget),
    now: now && (async storage => (await now(storage)).map(faultyTarget)),
  }
}

/** Caches results by object identity, because a target that was registered again is a new object. */
function once(make: (target: Target) => Target): (target: Target) => Target {
  const made = new WeakMap<Target, Target>()
  return target => {
    const found = made.get(target) ?? make(target)
    made.set(target, found)
    return found
  }
}
