/** `targets add`, `targets rm`, `targets set`: change the registered targets of a state. */

import { targetToRegister } from '../../../config/registered.js'
import { requiredStateConfig } from '../../../config/state.js'
import { EXIT, IngestError } from '../../../errors.js'
import { readRegistry } from '../../../state/registry.js'
import { addTarget, removeTarget, setRequired } from '../../../state/targets.js'
import { withState } from '../state/with-state.js'
import type { RegistryAction } from '../../options/registry-flags.js'
import { targetDocument } from '../../../state/target-overview.js'
import type { TargetsAddReport, TargetsRemoveReport, TargetsSetReport } from '../../../reports/targets.js'

export const add: RegistryAction = ([name = '', kind = '', address], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report, env } = context
    const { bestEffort = false, format, ...options } = flags
    const { buckets } = await readRegistry(state.storage)
    const bucketRoot = buckets.get(options.bucket ?? '')?.root
    const target = await addTarget(
      state,
      targetToRegister({ ...options, name, kind, address, bucketRoot, isRequired: !bestEffort }, env),
    )
    if (format === 'json')
      report.json<TargetsAddReport>({ command: 'targets add', exit_code: EXIT.done, target: targetDocument(target) })
    else
      report.verdict(true, 'added', `${name}: ${target.address} (${kind}, ${bestEffort ? 'best effort' : 'required'})`)
    return EXIT.done
  })

export const rm: RegistryAction = ([name = ''], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report } = context
    const identity = await removeTarget(state, name)
    if (flags.format === 'json')
      report.json<TargetsRemoveReport>({ command: 'targets rm', exit_code: EXIT.done, name, identity })
    else report.verdict(true, 'removed', `${name}: nothing is kept for ${identity} any more`)
    return EXIT.done
  })

export const set: RegistryAction = ([name = ''], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report } = context
    const { required = false, bestEffort = false } = flags
    if (required === bestEffort)
      throw new IngestError('usage', `it is not said what ${name} is to be`, {
        hint: 'give --required or --best-effort',
      })
    const changed = await setRequired(state, name, required)
    if (flags.format === 'json')
      report.json<TargetsSetReport>({ command: 'targets set', exit_code: EXIT.done, name, required, changed })
    else report.verdict(true, changed ? 'set' : 'unchanged', `${name} is ${required ? 'required' : 'best effort'}`)
    return EXIT.done
  })
