/** `push`: checks all input, then delivers it file by file to every target. */

import { ciRunUrl, runMeta } from '../../../commit/ci.js'
import { commitConfig, type CommitConfig, type CommitFlags } from '../../../config/commit.js'
import type { LineLimit } from '../../../config/option.js'
import { pinnedVersion, type ContractFlags } from '../../../config/contract.js'
import { findMissingSecrets } from '../../../targets/secrets.js'
import { siteConfig } from '../../../config/site.js'
import { stateConfig, type StateConfig } from '../../../config/state.js'
import { push, type PushOptions, type PushResult } from '../../../delivery/push.js'
import type { Target } from '../../../delivery/target.js'
import type { Refreshed } from '../../../delivery/refresh-site.js'
import type { PushReport } from '../../../reports/delivery.js'
import { IngestError, messageOf } from '../../../errors.js'
import { openInputs, releaseSources } from '../../../source/inputs.js'
import { chooseTargets, type ChoiceFlags } from '../../options/choose-targets.js'
import type { Action, Context, Format } from '../../context.js'
import { resolveCommit } from '../../options/resolve-commit.js'
import { printHuman } from './human.js'
import { pushReport, type PushOutcome } from './report.js'
import { pushWithoutSecrets } from './without-secrets.js'

export type PushFlags = ChoiceFlags &
  ContractFlags &
  CommitFlags & {
    readonly fullRefresh?: boolean
    readonly forceOlder?: boolean
    readonly requireRecords?: boolean
    readonly onError?: 'stop' | 'reject'
    readonly rejects?: string
    readonly maxRejections?: LineLimit
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

export const runPush: Action<PushFlags> = async (args, flags, context) => {
  const { env, signal, stdin, watch } = context
  const missing = await findMissingSecrets(flags, env)
  if (missing !== undefined) return pushWithoutSecrets(missing, flags, context)
  const commit = commitConfig(flags, env)
  const state = stateConfig(flags, env)
  assertStateFor(flags, state)
  const rejects = rejectOptions(flags)
  const chosen = await chooseTargets(flags, context)
  const run = runMeta({ benchmarkId: benchmarkOf(commit, chosen.targets), ci: commit.ci, now: context.now })
  const mayGrow = state !== undefined
  const sources = await openInputs(args, { stdin, rereadable: true, mayGrow, signal, watch: watch?.reads })
  try {
    const options: PushOptions = {
      ...{ ...chosen, run, signal, explain: flags.explain, dryRun: flags.dryRun, mayDowngrade: flags.downgrade },
      ...{
        ci: commit.ci?.attempt,
        runUrl: ciRunUrl(env),
        forceOlder: flags.forceOlder,
        requireRecords: flags.requireRecords,
        fullRefresh: flags.fullRefresh,
        allowFailure: flags.allowFailure,
        waitMs: state?.waitMs,
        rejects,
      },
      commit: sha => resolveCommit(sha, commit, context),
      commitSha: commit.sha,
      contractVersion: pinnedVersion(flags),
      onEvent: await watch?.deliveries(),
    }
    const result = await withState(state, options, context, opened => push(sources, opened))
    const outcome = { result, refreshed: await refresh(result, flags, context) }
    await print(outcome, flags, context)
    return result.exitCode
  } finally {
    await releaseSources(sources)
  }
}

async function print(outcome: PushOutcome, flags: PushFlags, context: Context): Promise<void> {
  const { report, reportFile, ci } = context
  if (flags.format === 'json') report.json<PushReport>(pushReport(outcome))
  reportFile?.json<PushReport>(pushReport(outcome))
  printHuman(report, outcome, flags.format === 'json')
  if (ci === undefined) return
  const { pushSummary } = await import('../../output/github/push-summary.js')
  ci.setSummary(pushSummary(outcome.result, await compared(outcome, flags, context)))
}

/** Compares with the commit before, for the summary of the CI run. Loaded only if there is a summary. */
async function compared({ result }: PushOutcome, flags: PushFlags, context: Context): Promise<readonly string[]> {
  if (context.ci?.hasSummary !== true || flags.compare === false) return []
  const { comparedWithBefore } = await import('../../output/github/compared-with-before.js')
  return comparedWithBefore(result, flags, context)
}

/** @throws {IngestError} `usage` */
function assertStateFor({ fullRefresh }: PushFlags, state: StateConfig | undefined): void {
  if (fullRefresh === true && state === undefined)
    throw new IngestError('usage', '--full-refresh requires --state: without it every push takes all of its input')
}

/** @throws {IngestError} `usage` for a file that would stay empty */
function rejectOptions({ onError, rejects: file, maxRejections: max }: PushFlags): PushOptions['rejects'] {
  if (onError === 'reject') return { file, max }
  if (file !== undefined)
    throw new IngestError('usage', '--rejects requires --on-error reject: otherwise nothing is delivered', {
      hint: '`vortex-ingest validate --rejects FILE` writes rejected lines without a delivery',
    })
  return undefined
}

/** Opens the state for the duration of the push. The code for it is loaded only with `--state`. */
async function withState(
  config: StateConfig | undefined,
  options: PushOptions,
  context: Context,
  work: (options: PushOptions) => Promise<PushResult>,
): Promise<PushResult> {
  if (config === undefined) return work(options)
  const [{ openConfiguredState }, { withFailPoints }] = await Promise.all([
    import('../../options/open-state.js'),
    import('../../options/fail-points.js'),
  ])
  const state = await openConfiguredState(config, context)
  try {
    return await work({ ...options, ...(await withFailPoints({ ...options, state }, context.env)) })
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
  { targets }: PushResult,
  flags: PushFlags,
  { env, signal }: Context,
): Promise<Refreshed | undefined> {
  const hasDelivered = targets.some(({ kind, error }) => kind === 'postgres' && error === undefined)
  if (!hasDelivered || signal.aborted) return undefined
  try {
    const site = await siteConfig(flags, env)
    if (site === undefined) return undefined
    const { refreshSite } = await import('../../../delivery/refresh-site.js')
    return await refreshSite({ ...site, signal })
  } catch (error) {
    return { revalidated: false, warmed: 0, problems: [messageOf(error)] }
  }
}
