/** `push`: checks all input, then delivers it file by file to every target. */

import { runMeta } from '../../../commit/ci.js'
import { commitConfig, type CommitConfig, type CommitFlags } from '../../../config/commit.js'
import { pinnedVersion, type ContractFlags } from '../../../config/contract.js'
import { findMissingSecrets } from '../../../targets/secrets.js'
import { siteConfig } from '../../../config/site.js'
import { stateConfig, type StateConfig } from '../../../config/state.js'
import { wasmHash64 } from '../../../contract/hash64.js'
import type { DurablyPushed, DurablePushOptions } from '../../../delivery/durable/push.js'
import { push as deliver, type Pushed, type PushOptions } from '../../../delivery/push.js'
import type { Target } from '../../../delivery/opening.js'
import type { Refreshed } from '../../../delivery/refresh-site.js'
import { IngestError, messageOf } from '../../../errors.js'
import { openInputs, releaseSources } from '../../../source/inputs.js'
import type { Source } from '../../../source/source.js'
import type { State } from '../../../state/state.js'
import { chooseTargets, type ChoiceFlags } from '../../options/choose-targets.js'
import type { Action, Context, Format } from '../../context.js'
import type { Explained } from './explain-report.js'
import { Notes } from '../../output/notes.js'
import { printHuman } from './human.js'
import { pushWithoutSecrets } from './without-secrets.js'
import { pushReport, type PushOutcome } from './report.js'
import { verdictOf } from './verdict.js'
import { resolveCommit } from '../../options/resolve-commit.js'
import type { PushReport } from '../../../reports/delivery.js'

export type PushFlags = ChoiceFlags &
  ContractFlags &
  CommitFlags & {
    readonly fullRefresh?: boolean
    readonly format: Format
    readonly report?: string
    readonly dryRun?: boolean
    readonly secrets?: 'skip' | 'fail'
    readonly allowFailure?: boolean
    readonly downgrade?: boolean
    readonly revalidate?: boolean
    readonly warm?: boolean
    readonly compare?: boolean
    readonly explain?: boolean
  }

export const push: Action<PushFlags> = async (args, flags, context) => {
  const { env, report, signal, stdin, watch } = context
  const started = performance.now()
  const missing = await findMissingSecrets(flags, env)
  if (missing !== undefined) return pushWithoutSecrets(missing, flags, context)
  const commitSource = commitConfig(flags, env)
  const state = stateConfig(flags, env)
  assertStateFor(flags, state)
  const { targets, require, now } = await chooseTargets(flags, context)
  const run = runMeta({ benchmarkId: benchmarkOf(commitSource, targets), ci: commitSource.ci, now: context.now })
  const dryRun = flags.dryRun === true
  const sources = await openInputs(args, {
    stdin,
    rereadable: true,
    mayGrow: state !== undefined,
    signal,
    watch: watch?.reads,
  })
  const notes = new Notes()
  try {
    const options: PushOptions = {
      commitSha: commitSource.sha,
      contractVersion: pinnedVersion(flags),
      commitOf: sha => resolveCommit(sha, commitSource, context),
      run,
      targets,
      dryRun,
      mayDowngrade: flags.downgrade === true,
      hash: await wasmHash64(),
      onRejection: rejection => notes.reject(rejection),
      onWarning: warning => notes.warn(warning),
      signal,
    }
    const pushed: Explainable =
      state === undefined
        ? await deliverPlainly(sources, options, flags)
        : await deliverDurably(sources, { ...options, now, state, flags }, context)
    const refreshed = await refresh(pushed, flags, context)
    const verdict = verdictOf(pushed, {
      require,
      allowFailure: flags.allowFailure === true,
      rejected: notes.rejected > 0,
    })
    const durationMs = performance.now() - started
    const { explained } = pushed
    const outcome: PushOutcome = { pushed, notes, run, dryRun, verdict, refreshed, explained, durationMs }
    if (flags.format === 'json') report.json<PushReport>(pushReport(outcome))
    context.reportFile?.json<PushReport>(pushReport(outcome))
    printHuman(report, outcome, flags.format === 'json')
    if (context.ci !== undefined) {
      const { toldOfPush } = await import('../../output/github/push-summary.js')
      context.ci.tell(toldOfPush(outcome, await compared(outcome, flags, context)))
    }
    return verdict.exitCode
  } finally {
    await releaseSources(sources)
  }
}

/** Compares with the commit before, for the summary of the CI run. Loaded only if there is a summary. */
async function compared(outcome: PushOutcome, flags: PushFlags, context: Context): Promise<readonly string[]> {
  if (context.ci?.hasSummary !== true || flags.compare === false) return []
  const { comparedWithBefore } = await import('../../output/github/compared-with-before.js')
  return comparedWithBefore(outcome, flags, context)
}

/** @throws {IngestError} `usage` */
function assertStateFor({ fullRefresh }: PushFlags, state: StateConfig | undefined): void {
  if (fullRefresh === true && state === undefined)
    throw new IngestError('usage', '--full-refresh goes with --state: without it every push takes all of its input')
}

type Explainable = Pushed & Partial<DurablyPushed> & { readonly explained?: readonly Explained[] | undefined }

async function deliverPlainly(
  sources: readonly Source[],
  options: PushOptions,
  { explain }: PushFlags,
): Promise<Explainable> {
  const pushed = await deliver(sources, options)
  return { ...pushed, explained: await explained(pushed, { targets: options.targets, explain, state: undefined }) }
}

type Explaining = Pick<PushOptions, 'targets'> & {
  readonly explain: boolean | undefined
  readonly state: State | undefined
}

/** Settings for `--explain`, whose code is loaded only with that flag. */
async function explained(
  { outcomes }: Pushed,
  { targets, explain = false, state }: Explaining,
): Promise<readonly Explained[] | undefined> {
  return explain ? (await import('./explain.js')).explain(targets, outcomes, state) : undefined
}

type Durable = PushOptions &
  Pick<DurablePushOptions, 'now'> & { readonly state: StateConfig; readonly flags: PushFlags }

/** Delivers through the outbox of a state, whose code is loaded only with `--state`. */
async function deliverDurably(
  sources: readonly Source[],
  { state: config, flags, ...options }: Durable,
  context: Context,
): Promise<Explainable> {
  const [{ openState }, { pushDurably }, { journalOutcomes, openJournal }, { withFailPoints }] = await Promise.all([
    import('../../options/open-state.js'),
    import('../../../delivery/durable/push.js'),
    import('../../../delivery/durable/journal-outcomes.js'),
    import('../../options/fail-points.js'),
  ])
  const opened = { state: await openState(config, context), targets: options.targets, now: options.now }
  const { state, targets, now } = await withFailPoints(opened, context.env)
  try {
    const fullRefresh = flags.fullRefresh === true
    const pushed = await pushDurably(state, sources, { ...options, targets, now, fullRefresh, waitMs: config.waitMs })
    const journal = openJournal(state, options.run.benchmark_id)
    const warnings = await journalOutcomes(journal, state, pushed.outcomes)
    return {
      ...pushed,
      warnings: [...pushed.warnings, ...warnings],
      explained: await explained(pushed, { targets: options.targets, explain: flags.explain, state }),
    }
  } finally {
    await state.storage.close()
  }
}

/** The benchmark id. A server target requires it, because an envelope names the benchmark; databases do not store it. */
function benchmarkOf({ benchmarkId, ci }: CommitConfig, targets: readonly Target[]): string | undefined {
  const hasServer = targets.some(({ kind }) => kind === 'server')
  if (benchmarkId !== undefined || ci !== undefined || !hasServer) return benchmarkId
  const hint = 'give --benchmark-id ID: what ran, in a word'
  throw new IngestError('usage', '--server needs --benchmark-id where no CI says what ran', { hint })
}

/** Notifies the site after a push to Postgres. Its problems never change the exit code. */
async function refresh(
  { outcomes }: Pushed,
  flags: PushFlags,
  { env, signal }: Context,
): Promise<Refreshed | undefined> {
  const landed = outcomes.some(({ kind, failure }) => kind === 'postgres' && failure === undefined)
  if (!landed || signal.aborted) return undefined
  try {
    const site = await siteConfig(flags, env)
    if (site === undefined) return undefined
    const { refreshSite } = await import('../../../delivery/refresh-site.js')
    return await refreshSite({ ...site, signal })
  } catch (error) {
    return { revalidated: false, warmed: 0, problems: [messageOf(error)] }
  }
}
