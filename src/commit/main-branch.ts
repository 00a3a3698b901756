/** Finds the branch into which the measured commit is, or will be, merged. */

import { readParents } from './ancestry.js'
import type { Environment } from './ci.js'
import { lookUpCommit } from './git.js'
import type { GitContext } from './git-process.js'

/** Variables with the target branch of a pull request. */
const TARGET_VARIABLES = [
  'GITHUB_BASE_REF',
  'CI_MERGE_REQUEST_TARGET_BRANCH_NAME',
  'BUILDKITE_PULL_REQUEST_BASE_BRANCH',
]
/** Variables with the main branch of the repository. */
const MAIN_VARIABLES = ['CI_DEFAULT_BRANCH', 'BUILDKITE_PIPELINE_DEFAULT_BRANCH']

/**
 * The newest commit of the target branch of the pull request, otherwise of the repository's main branch.
 * @param head the commit of the pull request
 * @returns undefined when git knows neither
 */
export async function findMainBranch(head: string, context: GitContext): Promise<string | undefined> {
  const { env } = context
  const targets = namesIn(env, TARGET_VARIABLES)
  const branches = [
    ...targets,
    ...(targets.length > 0 ? [] : [...namesIn(env, MAIN_VARIABLES), 'HEAD', 'main', 'master']),
  ]
  for (const name of branches.flatMap(branch => [`refs/remotes/origin/${branch}`, `refs/heads/${branch}`])) {
    const sha = await lookUpCommit(name, context)
    if (sha !== undefined) return sha
  }
  // The commit that GitHub checks out for a pull request is a merge of it into the newest commit of the target branch.
  const parents = (await readParents('HEAD', context)) ?? []
  return parents[1] === head ? parents[0] : undefined
}

function namesIn(env: Environment, variables: readonly string[]): readonly string[] {
  return variables.flatMap(name => env[name]?.trim() || [])
}
