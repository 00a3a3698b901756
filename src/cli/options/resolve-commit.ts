/** Finds the commit of a push and its fields. */

import { readCommitFile } from '../../commit/commit-file.js'
import type { Commit } from '../../contract/commit.js'
import { readGitCommit } from '../../commit/git.js'
import type { CommitConfig } from '../../config/commit.js'
import { quote } from '../../contract/problem.js'
import { IngestError } from '../../errors.js'
import type { Context } from '../context.js'

/**
 * Reads the commit from the file of `--commit`, otherwise from git. With git, the commit is the one that the records name,
 * otherwise the commit of the CI run, otherwise HEAD.
 */
export async function resolveCommit(
  sha: string | undefined,
  config: CommitConfig,
  { env, signal }: Context,
): Promise<Commit> {
  if (config.file !== undefined) return readCommitOf(sha, config.file)
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
