/** The commit and run that a push belongs to. */

import { detectCi, type CiRun, type Environment } from '../commit/ci.js'
import { isFullSha } from '../contract/commit.js'
import type { OptionValues, ValueType } from './option.js'

/** A full commit id. Branch names and abbreviated ids are refused, because no record could match them. */
const FULL_SHA: ValueType<string> = {
  parse: text => (isFullSha(text) ? text : undefined),
  rule: 'It must be 40 lowercase hex digits, as `git rev-parse COMMIT` prints them.',
}

export const COMMIT_OPTIONS = {
  commitSha: { value: '<sha>', help: 'full id of the commit that every record must name', type: FULL_SHA },
  commit: { value: '<file>', help: 'JSON file with the fields of the commit, used instead of git' },
  benchmarkId: { value: '<id>', help: 'id of the benchmark that ran (default: detected in CI)' },
  repoUrl: { value: '<url>', help: 'URL of the repository (default: from CI or the remote named origin)' },
  gitDir: { value: '<dir>', help: 'git repository that has the commit (default: found by git)' },
} as const

export type CommitFlags = OptionValues<typeof COMMIT_OPTIONS>

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
