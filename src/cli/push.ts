/** `push`: check everything, then deliver file by file. */

import { readCommitFile } from '../commit/commit-file.js'
import { isFullSha } from '../commit/formats.js'
import { readGitCommit } from '../commit/git.js'
import { runMeta } from '../commit/run.js'
import { commitConfig, writeTargetConfig, type CommitConfig, type CommitFlags, type TargetFlags } from '../config.js'
import type { Commit } from '../contract/commit.js'
import { wasmHash64 } from '../contract/hash64.js'
import { quote } from '../contract/problem.js'
import { push as deliver, type Pushed } from '../delivery/push.js'
import { EXIT, IngestError } from '../errors.js'
import { openInputs, releaseAll } from '../source/inputs.js'
import type { Action, Context, Format } from './context.js'
import { exitCodeOf } from './error-report.js'
import { Notes } from './notes.js'
import { printHuman, pushReport } from './push-report.js'
import { sinkOpener, warnInsecure } from './targets.js'

export type PushFlags = TargetFlags & CommitFlags & { readonly format: Format; readonly dryRun?: boolean }

export const push: Action<PushFlags> = async (args, flags, context) => {
  const { env, now, report, signal, stdin } = context
  const started = performance.now()
  const target = writeTargetConfig(flags, env)
  const commitSource = commitConfig(flags, env)
  const run = runMeta({ benchmarkId: commitSource.benchmarkId, ci: commitSource.ci, now })
  const opener = await sinkOpener(target, context)
  warnInsecure(target, context)
  const sources = await openInputs(args, { stdin, rereadable: true, signal })
  const notes = new Notes()
  try {
    const pushed = await deliver(sources, {
      commitSha: commitSource.sha,
      commitOf: sha => resolveCommit(sha, commitSource, context),
      opener: flags.dryRun === true ? undefined : opener,
      hash: await wasmHash64(),
      onRejection: rejection => notes.reject(rejection),
      onWarning: warning => notes.warn(warning),
      signal,
    })
    const outcome = { pushed, notes, run, dryRun: flags.dryRun === true, durationMs: performance.now() - started }
    const exitCode = exitCodeOfPush(pushed)
    if (flags.format === 'json') report.json(pushReport(outcome, exitCode))
    printHuman(report, outcome, flags.format === 'json')
    return exitCode
  } finally {
    await releaseAll(sources)
  }
}

/** From the file that was named, else from git: the records' commit, without records CI's, without CI HEAD. */
async function resolveCommit(sha: string | undefined, config: CommitConfig, { env, signal }: Context): Promise<Commit> {
  if (config.file !== undefined) return readCommitOf(sha, config.file)
  if (sha !== undefined && config.sha === undefined && !isFullSha(sha)) {
    const hint = 'whatever wrote them must give all 40 hex digits, in lowercase'
    throw new IngestError('bad_data', `the records name commit ${quote(sha)}, which is no full commit id`, { hint })
  }
  const { gitDir, repoUrl, ci } = config
  return readGitCommit({ sha: sha ?? ci?.sha, gitDir, repoUrl, env, signal })
}

async function readCommitOf(sha: string | undefined, file: string): Promise<Commit> {
  const commit = await readCommitFile(file)
  if (sha === undefined || sha === commit.sha) return commit
  const hint = 'name the file of the commit that the records were measured on'
  throw new IngestError('config_invalid', `${file} describes commit ${commit.sha}, the records name ${quote(sha)}`, {
    hint,
  })
}

function exitCodeOfPush({ inspections, failure }: Pushed): number {
  if (inspections.some(({ rejected }) => rejected > 0)) return EXIT.badData
  return failure === undefined ? EXIT.done : exitCodeOf(failure.error)
}
