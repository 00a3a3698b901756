/** `targets add`, `targets rm`, `targets set`: change the registered targets of a state. */

import { givenRegistration, targetToRegister } from '../../../targets/registered.js'
import { requiredStateConfig } from '../../../config/state.js'
import { EXIT, IngestError } from '../../../errors.js'
import { prunedText } from '../../../state/watermark.js'
import { readRegistry } from '../../../state/registry.js'
import { summarizeState } from '../../../state/state-summary.js'
import { addTarget, removeTarget, setRequired, requireTarget } from '../../../state/targets.js'
import { withState, type RegistryAction } from '../state/with-state.js'
import { targetDocument } from '../../../state/target-overview.js'
import type { TargetsAddReport, TargetsRemoveReport, TargetsSetReport } from '../../../reports/targets.js'
import { openStateBuckets } from '../../options/registered-targets.js'
import { printExamined } from '../doctor/human.js'
import { checkTarget } from './check-target.js'

const NOTHING = { records: 0, partitions: 0 }

export const addTargetCommand: RegistryAction = ([name = '', kind = '', address], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report, env } = context
    const { bestEffort = false, format } = flags
    const options = givenRegistration(flags)
    const buckets = openStateBuckets(state, await readRegistry(state.storage))
    const input = { name, kind, address, options, isRequired: !bestEffort }
    const target = await addTarget(state, await targetToRegister(input, { env, buckets }))
    const { lags } = await summarizeState(state.storage, 0)
    const { records, partitions } = lags.find(lag => lag.target.id === target.identity)?.pruned ?? NOTHING
    if (format === 'json')
      report.json<TargetsAddReport>({
        ...{ command: 'targets add', exit_code: EXIT.done, target: targetDocument(target) },
        ...{ pruned_records: records, pruned_commits: partitions },
      })
    else
      report.verdict(true, 'added', `${name}: ${target.address} (${kind}, ${bestEffort ? 'best effort' : 'required'})`)
    if (records > 0) report.warning(prunedText({ records, partitions }, name))
    return EXIT.done
  })

export const removeTargetCommand: RegistryAction = ([name = ''], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report } = context
    const identity = await removeTarget(state, name)
    if (flags.format === 'json')
      report.json<TargetsRemoveReport>({ command: 'targets rm', exit_code: EXIT.done, name, identity })
    else report.verdict(true, 'removed', `${name}: nothing is kept for ${identity} any more`)
    return EXIT.done
  })

export const setTargetCommand: RegistryAction = ([name = ''], flags, context) =>
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

export const testTargetCommand: RegistryAction = ([name = ''], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const target = requireTarget(await readRegistry(state.storage), name)
    const diagnosis = await checkTarget(target, state, context)
    printExamined(context.report, diagnosis, flags.format)
    return diagnosis.exitCode
  })
