/** The commit and run that a push belongs to. */

import { detectCi, type CiRun, type Environment } from '../commit/ci.js'

export type CommitFlags = {
  readonly commitSha?: string
  readonly commit?: string
  readonly benchmarkId?: string
  readonly repoUrl?: string
  readonly gitDir?: string
}

export type CommitConfig = {
  readonly sha: string | undefined
  /** A file with the commit's metadata, used instead of git. */
  readonly file: string | undefined
  readonly benchmarkId: string | undefined
  readonly repoUrl: string | undefined
  readonly gitDir: string | undefined
  readonly ci: CiRun | undefined
  readonly env: Environment
}

export function commitConfig(flags: CommitFlags, env: Environment): CommitConfig {
  const ci = detectCi(env)
  return Object.freeze({
    sha: flags.commitSha,
    file: flags.commit,
    benchmarkId: flags.benchmarkId,
    repoUrl: flags.repoUrl ?? ci?.repoUrl,
    gitDir: flags.gitDir,
    ci,
    env,
  })
}
