/** Finds the commit of a push and its fields. */

import { readCommitFile } from '../../commit/commit-file.js'
import type { Ancestry, MeasuredCommit } from '../../contract/ancestry.js'
import { readGitCommit } from '../../commit/git.js'
import type { CommitConfig } from '../../config/commit.js'
import { quote } from '../../contract/problem.js'
import { readPullRequest, type PullRequest } from '../../commit/pull-request.js'
import { IngestError, messageOf } from '../../errors.js'
import type { Context } from '../context.js'

/**
 * Reads the commit from the file of `--commit`, otherwise from git. With git, the commit is the one that the records name,
 * otherwise the commit of the CI run, otherwise HEAD. Warns when the records name a merge that CI made for the run.
 */
export async function resolveCommit(
  sha: string | undefined,
  config: CommitConfig,
  context: Context,
): Promise<MeasuredCommit> {
  const pull = readPullRequest(config.env)
  if (sha !== undefined && pull?.isMerge(sha) === true) warnOfMerge(sha, pull, context)
  const commit = await readCommit(sha, { config, pull, context })
  const isPullRequest = commit.sha === pull?.headSha || pull?.isMerge(commit.sha) === true
  return isPullRequest ? { ...commit, ancestry: { ...(commit.ancestry ?? NO_ANCESTORS), isPullRequest } } : commit
}

const NO_ANCESTORS: Ancestry = { parents: [], firstParents: [], isComplete: false }

type Reading = { readonly config: CommitConfig; readonly pull: PullRequest | undefined; readonly context: Context }

async function readCommit(sha: string | undefined, { config, pull, context }: Reading): Promise<MeasuredCommit> {
  if (config.file !== undefined) return readCommitOf(sha, config.file)
  const { gitDir, repoUrl, ci } = config
  const { env, signal } = context
  try {
    return await readGitCommit({ sha: sha ?? ci?.sha, gitDir, repoUrl, env, signal })
  } catch (error) {
    // CI often clones only the merge of a pull request, without the head that the records name.
    const isHead = sha !== undefined && sha === pull?.headSha
    if (!isHead || !(error instanceof IngestError) || error.code !== 'commit_unknown') throw error
    return await readHostedCommit(sha, { repoUrl, error }, context)
  }
}

function warnOfMerge(sha: string, { number, headSha }: PullRequest, { report }: Context): void {
  const merge = `the merge ${sha.slice(0, 7)} that CI made for pull request ${number}`
  report.warning(`the records name ${merge}, which is in no branch, so no later commit can be compared with it`)
  report.hint(`check out and measure the head${headSha === undefined ? '' : ` ${headSha}`} of the pull request`)
}

type Missing = {
  readonly repoUrl: string | undefined
  /** The error of git. Thrown when the hosting service does not know the commit either. */
  readonly error: IngestError
}

async function readHostedCommit(sha: string, { repoUrl, error }: Missing, context: Context): Promise<MeasuredCommit> {
  try {
    const { hostedCommit } = await import('../../hosting/commit.js')
    const commit = await hostedCommit(sha, { ...context, repoUrl })
    if (commit !== undefined) return commit
  } catch (cause) {
    context.signal.throwIfAborted()
    context.report.warning(`the commit could not be read from the hosting service: ${messageOf(cause)}`)
  }
  throw error
}

async function readCommitOf(sha: string | undefined, file: string): Promise<MeasuredCommit> {
  const commit = await readCommitFile(file)
  if (sha === undefined || sha === commit.sha) return commit
  const hint = 'name the file of the commit that the records were measured on'
  throw new IngestError('config_invalid', `${file} describes commit ${commit.sha}, the records name ${quote(sha)}`, {
    hint,
  })
}
