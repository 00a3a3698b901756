/** `push`: check everything, then deliver file by file to every target. */

import { runMeta } from '../commit/run.js'
import { commitConfig, type CommitConfig, type CommitFlags } from '../config/commit.js'
import { siteConfig, type ServerFlags } from '../config/server.js'
import type { TargetFlags } from '../config/target.js'
import { requirement, writeConfig, type Requirement, type WriteConfig } from '../config/write.js'
import { wasmHash64 } from '../contract/hash64.js'
import { push as deliver, type Pushed } from '../delivery/push.js'
import type { Refreshed } from '../delivery/refresh-site.js'
import { IngestError, messageOf } from '../errors.js'
import { openInputs, releaseAll } from '../source/inputs.js'
import type { Action, Context, Format } from './context.js'
import { Notes } from './notes.js'
import { printHuman } from './push-print.js'
import { pushReport, type PushOutcome } from './push-report.js'
import { verdictOf } from './push-verdict.js'
import { resolveCommit } from './resolve-commit.js'
import { targetsOf, warnInsecure, warnPlain } from './targets.js'

export type PushFlags = TargetFlags &
  ServerFlags &
  CommitFlags & {
    readonly format: Format
    readonly dryRun?: boolean
    readonly require?: Requirement
    readonly allowFailure?: boolean
    readonly revalidate?: boolean
    readonly warm?: boolean
  }

export const push: Action<PushFlags> = async (args, flags, context) => {
  const { env, now, report, signal, stdin } = context
  const started = performance.now()
  const config = await writeConfig(flags, env)
  const require = requirement(flags.require, config)
  const commitSource = commitConfig(flags, env)
  const targets = await targetsOf(config, context)
  const run = runMeta({ benchmarkId: benchmarkOf(commitSource, config), ci: commitSource.ci, now })
  warnInsecure(config.database, context)
  warnPlain(config.server, context)
  const dryRun = flags.dryRun === true
  const sources = await openInputs(args, { stdin, rereadable: true, signal })
  const notes = new Notes()
  try {
    const pushed = await deliver(sources, {
      commitSha: commitSource.sha,
      commitOf: sha => resolveCommit(sha, commitSource, context),
      run,
      targets,
      dryRun,
      hash: await wasmHash64(),
      onRejection: rejection => notes.reject(rejection),
      onWarning: warning => notes.warn(warning),
      signal,
    })
    const refreshed = await refresh(pushed, flags, context)
    const verdict = verdictOf(pushed, {
      require,
      allowFailure: flags.allowFailure === true,
      rejected: notes.rejected > 0,
    })
    const durationMs = performance.now() - started
    const outcome: PushOutcome = { pushed, notes, run, dryRun, verdict, refreshed, durationMs }
    if (flags.format === 'json') report.json(pushReport(outcome))
    printHuman(report, outcome, flags.format === 'json')
    return verdict.exitCode
  } finally {
    await releaseAll(sources)
  }
}

/** A server keeps what ran beside what it measured; a database does not. */
function benchmarkOf({ benchmarkId, ci }: CommitConfig, { server }: WriteConfig): string | undefined {
  if (benchmarkId !== undefined || ci !== undefined || server === undefined) return benchmarkId
  const hint = 'give --benchmark-id ID: what ran, in a word'
  throw new IngestError('usage', '--server needs --benchmark-id where no CI says what ran', { hint })
}

/** Never changes what the push ends with. */
async function refresh(
  { outcomes }: Pushed,
  flags: PushFlags,
  { env, signal }: Context,
): Promise<Refreshed | undefined> {
  const landed = outcomes.some(({ name, failure }) => name === 'postgres' && failure === undefined)
  if (!landed || signal.aborted) return undefined
  try {
    const site = await siteConfig(flags, env)
    if (site === undefined) return undefined
    const { refreshSite } = await import('../delivery/refresh-site.js')
    return await refreshSite({ ...site, signal })
  } catch (error) {
    return { revalidated: false, warmed: 0, problems: [messageOf(error)] }
  }
}
