/** Checks that a registered target is reachable and accepts the credentials. Writes nothing. */

import { broken } from '../../../doctor/finding.js'
import { examine, exitCodeFor } from '../../../doctor/examine.js'
import { readRegistry, type RegisteredTarget } from '../../../state/registry.js'
import type { State } from '../../../state/state.js'
import { registeredKind, registeredOptions } from '../../../targets/registered.js'
import type { Context } from '../../context.js'
import { openStateBuckets } from '../../options/registered-targets.js'
import { withoutSecrets, type Diagnosis } from '../doctor/diagnose.js'

/** The findings of `doctor` for a push to this target. */
export async function checkTarget(target: RegisteredTarget, state: State, context: Context): Promise<Diagnosis> {
  const { env, now, signal } = context
  const options = registeredOptions(target, {})
  const buckets = openStateBuckets(state, await readRegistry(state.storage))
  const group = await registeredKind(target)
    .checks(options, { env, now, buckets })
    .then(
      checks => ({ name: target.kind, ...checks }),
      (error: unknown) => broken(target.kind, 'address', error),
    )
  const groups = await examine([group], signal)
  return { exitCode: exitCodeFor(groups), groups: await withoutSecrets(groups, options, env) }
}
