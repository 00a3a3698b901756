/** What a name such as `main~3` stands for, in a repository if there is one. */

import { IngestError } from '../errors.js'
import { runGit, type GitContext } from './git-process.js'

/** @returns the commit's id, or undefined when git, or the repository, knows none of that name */
export async function lookUpCommit(name: string, context: GitContext): Promise<string | undefined> {
  // A name like that would be an option to git.
  if (name.startsWith('-')) return undefined
  try {
    const answer = await runGit(['rev-parse', '--verify', '--quiet', `${name}^{commit}`], context)
    return answer.ok ? answer.stdout.trim() : undefined
  } catch (error) {
    // Without git there are no names, but ids are names enough.
    if (error instanceof IngestError && error.code === 'git_failed') return undefined
    throw error
  }
}
