/** `targets test`: connects to a registered target and logs in. Writes nothing. */

import { requiredStateConfig } from '../../../config/state.js'
import { readRegistry } from '../../../state/registry.js'
import { requireTarget } from '../../../state/targets.js'
import { printExamined } from '../doctor/human.js'
import { withState } from '../state/with-state.js'
import { checkTarget } from './check-target.js'
import type { RegistryAction } from '../../options/registry-flags.js'

export const test: RegistryAction = ([name = ''], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const target = requireTarget(await readRegistry(state.storage), name)
    const diagnosis = await checkTarget(target, state, context)
    printExamined(context.report, diagnosis, flags.format)
    return diagnosis.exitCode
  })
