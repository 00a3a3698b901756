/** `drain` delivers queued records. `recover` only finishes interrupted deliveries. */

import { requiredStateConfig } from '../../../config/state.js'
import { drain, recover, type DrainResult, type RecoverOptions } from '../../../delivery/drain.js'
import type { Target } from '../../../delivery/target.js'
import { IngestError } from '../../../errors.js'
import type { DrainReport, RecoverPlan } from '../../../reports/delivery.js'
import { listIntents, type Intent } from '../../../state/intent.js'
import { isOwnerGone } from '../../../state/lease.js'
import { chooseTargets, namesTarget, type ChoiceFlags, type Chosen } from '../../options/choose-targets.js'
import type { Action, Context, Format } from '../../context.js'
import { withFailPoints } from '../../options/fail-points.js'
import { plural } from '../../output/report.js'
import { rangeText } from '../push/human.js'
import { openUsedState } from '../state/used-state.js'
import { printDrained, drainReport } from './human.js'

export type DrainFlags = ChoiceFlags & {
  readonly format: Format
  readonly maxRows?: number
  /** Time limit in seconds. */
  readonly maxDuration?: number
  readonly dryRun?: boolean
  readonly explain?: boolean
  readonly downgrade?: boolean
}

export const runDrain: Action<DrainFlags> = (_, flags, context) => {
  const { maxRows: maxRecords, maxDuration } = flags
  const maxDurationMs = maxDuration === undefined ? undefined : maxDuration * 1000
  return run('drain', flags, context, options => drain({ ...options, maxRecords, maxDurationMs }))
}

export const runRecover: Action<DrainFlags> = (_, flags, context) => {
  if (flags.dryRun === true) return listIntentsOnly(flags, context)
  return run('recover', flags, context, recover)
}

type Work = (options: RecoverOptions) => Promise<DrainResult>

async function run(command: DrainReport['command'], flags: DrainFlags, context: Context, work: Work): Promise<number> {
  const { env, report, signal, watch } = context
  const config = requiredStateConfig(flags, env)
  const opened = await openUsedState(config, context)
  try {
    const chosen = await chosenTargets(flags, context)
    const result = await work({
      ...{ require: chosen.require, ...(await withFailPoints({ ...chosen, state: opened }, env)) },
      ...{ waitMs: config.waitMs, signal, mayDowngrade: flags.downgrade, explain: flags.explain },
      onEvent: await watch?.deliveries(`${command} to ${targetsText(chosen.targets)}`),
    })
    const besideJson = flags.format === 'json'
    if (besideJson) report.json<DrainReport>(drainReport(command, result))
    printDrained(report, { command, result, besideJson })
    return result.exitCode
  } finally {
    await opened.storage.close()
  }
}

function targetsText(targets: readonly Target[]): string {
  const [first, ...others] = targets
  return first === undefined || others.length > 0 ? plural(targets.length, 'target') : first.name
}

/**
 * The targets of the command. The embedded database is no default here, because it may not be a target of the state.
 * @throws {IngestError} `usage` if no target is named or registered
 */
async function chosenTargets(flags: DrainFlags, context: Context): Promise<Chosen> {
  if (namesTarget(flags)) return chooseTargets({ ...flags, require: flags.require ?? 'all' }, context)
  const { openRegistered } = await import('../../options/registered-targets.js')
  const registered = await openRegistered(requiredStateConfig(flags, context.env), flags, context)
  if (registered !== undefined) return { ...registered, require: flags.require }
  const hint = 'name the targets to deliver to, as for push; vortex-ingest status shows which ones lack records'
  throw new IngestError('usage', 'no target is given and none is registered', { hint })
}

type FoundIntent = Intent & { readonly isAbandoned: boolean }

function intentsReport(intents: readonly FoundIntent[]): RecoverPlan {
  const rows = intents.map(({ id, target, partition, since, until, at, isAbandoned }) => {
    return { id, target, partition, since, until, at, abandoned: isAbandoned }
  })
  return { command: 'recover', dry_run: true, exit_code: 0, intents: rows }
}

/** `recover --dry-run`: lists the interrupted deliveries and changes nothing. */
async function listIntentsOnly(flags: DrainFlags, context: Context): Promise<number> {
  const { env, report } = context
  const state = await openUsedState(requiredStateConfig(flags, env), context)
  try {
    const intents = await Promise.all(
      (await listIntents(state.storage)).map(async intent => ({
        ...intent,
        isAbandoned: await isOwnerGone(state, intent.owner, Date.parse(intent.at) + state.tools.leaseMs),
      })),
    )
    if (flags.format === 'json') {
      report.json<RecoverPlan>(intentsReport(intents))
      return 0
    }
    for (const intent of intents)
      report.result(`${intent.isAbandoned ? 'would deliver' : 'under way'}: ${rangeText(intent)} to ${intent.target}`)
    if (intents.length === 0) report.result('nothing to recover')
    return 0
  } finally {
    await state.storage.close()
  }
}
