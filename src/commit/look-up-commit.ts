/** Resolves git revisions such as `main~3` to commit ids. */

import { IngestError } from '../errors.js'
import { runGit, type GitContext } from './git-process.js'

/** @returns the commit's id; undefined when the revision is unknown, or there is no git or no repository */
export async function lookUpCommit(name: string, context: GitContext): Promise<string | undefined> {
  // git would read such a name as an option.
  if (name.startsWith('-')) return undefined
  try {
    const answer = await runGit(['rev-parse', '--verify', '--quiet', `${name}^{commit}`], context)
    return answer.ok ? answer.stdout.trim() : undefined
  } catch (error) {
    // Without git, revisions cannot be resolved, but full commit ids still work.
    if (error instanceof IngestError && error.code === 'git_failed') return undefined
    throw error
  }
}
