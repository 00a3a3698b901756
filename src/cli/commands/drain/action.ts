/** `drain` delivers queued records. `recover` only finishes interrupted deliveries. */

import { requiredStateConfig } from '../../../config/state.js'
import { wasmHash64 } from '../../../contract/hash64.js'
import { drain as drainState, recover as recoverState, type Drained } from '../../../delivery/durable/drain.js'
import { journalOutcomes, openJournal } from '../../../delivery/durable/journal-outcomes.js'
import { IngestError } from '../../../errors.js'
import type { Intent } from '../../../state/intent.js'
import { chooseTargets, namesTarget, type ChoiceFlags, type Chosen } from '../../options/choose-targets.js'
import type { Action, Context, Format } from '../../context.js'
import { withFailPoints } from '../../options/fail-points.js'
import { openUsedState } from '../state/used-state.js'
import type { WholeRun } from '../../output/progress/whole-run.js'
import { explain } from '../push/explain.js'
import { printDrained } from './human.js'
import { rangeText } from '../push/human.js'
import { drainReport } from './report.js'
import { verdictOf } from '../push/verdict.js'
import type { DrainReport, RecoverPlan } from '../../../reports/delivery.js'

export type DrainFlags = ChoiceFlags & {
  readonly format: Format
  readonly maxRows?: number
  /** Time limit in seconds. */
  readonly maxDuration?: number
  readonly dryRun?: boolean
  readonly explain?: boolean
  readonly downgrade?: boolean
}

export const drain: Action<DrainFlags> = (_, flags, context) =>
  run('drain', flags, context, async (state, options) => {
    const { maxRows: maxRecords = Infinity, maxDuration = Infinity } = flags
    const limits = { maxRecords, maxDurationMs: maxDuration * 1000 }
    return drainState(state, { ...options, ...limits })
  })

export const recover: Action<DrainFlags> = (_, flags, context) => {
  if (flags.dryRun === true) return foresee(flags, context)
  return run('recover', flags, context, recoverState)
}

type Work = (state: Parameters<typeof recoverState>[0], options: Parameters<typeof recoverState>[1]) => Promise<Drained>

async function run(command: DrainReport['command'], flags: DrainFlags, context: Context, work: Work): Promise<number> {
  const { env, report, signal } = context
  const started = performance.now()
  const config = requiredStateConfig(flags, env)
  const used = await openUsedState(config, context)
  try {
    const whole = await wholeRun(context)
    const { require, ...named } = await chosen(flags, whole === undefined ? context : watchedAs(whole, context))
    whole?.name(command, named.targets)
    const { state, targets, now } = await withFailPoints({ state: used, ...named }, env)
    const onPending = whole && { onPending: (records: number) => whole.expect(records) }
    const mayDowngrade = flags.downgrade === true
    const options = { targets, now, mayDowngrade, hash: await wasmHash64(), waitMs: config.waitMs, signal }
    const drained = await work(state, { ...options, ...onPending })
    const { outcomes } = drained
    const warnings = await journalOutcomes(openJournal(state, command), state, outcomes)
    for (const warning of [...drained.warnings, ...warnings]) report.warning(warning)
    const verdict = verdictOf({ outcomes }, { require, allowFailure: false, rejected: false })
    const explained = flags.explain === true ? await explain(targets, outcomes, state) : undefined
    const outcome = { command, drained, verdict, explained, durationMs: performance.now() - started }
    if (flags.format === 'json') report.json<DrainReport>(drainReport(outcome))
    printDrained(report, outcome, flags.format === 'json')
    return verdict.exitCode
  } finally {
    await used.storage.close()
  }
}

/** One progress meter for the whole command, because a drain makes many deliveries. Undefined without a progress display. */
async function wholeRun({ watch }: Context): Promise<WholeRun | undefined> {
  if (watch?.meters === undefined) return undefined
  const { WholeRun } = await import('../../output/progress/whole-run.js')
  return new WholeRun(watch.meters)
}

function watchedAs(whole: WholeRun, context: Context): Context {
  const { watch } = context
  return watch === undefined ? context : { ...context, watch: { ...watch, targets: all => watch.targets(all, whole) } }
}

/**
 * The targets of the command. The embedded database is no default here, because it may not be a target of the state.
 * @throws {IngestError} `usage` if no target is named or registered
 */
async function chosen(flags: DrainFlags, context: Context): Promise<Chosen> {
  if (namesTarget(flags)) return chooseTargets({ ...flags, require: flags.require ?? 'all' }, context)
  const { openRegistered } = await import('../../options/registered-targets.js')
  const registered = await openRegistered(requiredStateConfig(flags, context.env), flags, context)
  if (registered !== undefined) return { ...registered, require: flags.require }
  const hint = 'name those that are to be given what they missed, as for push; vortex-ingest status shows them'
  throw new IngestError('usage', 'no target is named, and none is registered', { hint })
}

type Foreseen = Intent & { readonly isAbandoned: boolean }

function plan(intents: readonly Foreseen[]): RecoverPlan {
  const rows = intents.map(({ id, target, partition, since, until, at, isAbandoned }) => {
    return { id, target, partition, since, until, at, abandoned: isAbandoned }
  })
  return { command: 'recover', dry_run: true, exit_code: 0, intents: rows }
}

/** `recover --dry-run`: lists the interrupted deliveries and changes nothing. */
async function foresee(flags: DrainFlags, context: Context): Promise<number> {
  const { env, report } = context
  const [{ listIntents }, { isOwnerGone: isGone }] = await Promise.all([
    import('../../../state/intent.js'),
    import('../../../state/lease.js'),
  ])
  const state = await openUsedState(requiredStateConfig(flags, env), context)
  try {
    const intents = await Promise.all(
      (await listIntents(state.storage)).map(async intent => ({
        ...intent,
        isAbandoned: await isGone(state, intent.owner, Date.parse(intent.at) + state.tools.leaseMs),
      })),
    )
    if (flags.format === 'json') report.json<RecoverPlan>(plan(intents))
    else
      for (const intent of intents)
        report.result(`${intent.isAbandoned ? 'would deliver' : 'under way'}: ${rangeText(intent)} to ${intent.target}`)
    if (intents.length === 0 && flags.format !== 'json') report.result('nothing to recover')
    return 0
  } finally {
    await state.storage.close()
  }
}
