/** Reads the first-parent history of a commit from git, which in a shallow clone ends early. */

import { isFullSha } from '../contract/commit.js'
import type { Ancestry } from '../contract/ancestry.js'
import { IngestError } from '../errors.js'
import { runGit, type GitContext } from './git-process.js'

export type FirstParents = {
  /** Full ids, newest first; begins with the commit itself. */
  readonly shas: readonly string[]
  /** Where the list ends: with the first commit of the history, at the limit, or because later commits are unknown. */
  readonly end: 'first' | 'limit' | 'unknown'
}

/**
 * Follows first parents from a commit. In a shallow clone the list ends with the first commit that the clone lacks, because the
 * commits that it has name their parents.
 * @param sha 40 lowercase hex digits
 * @returns undefined when there is no git, no repository, or no such commit in it
 */
export async function readFirstParents(
  sha: string,
  context: GitContext,
  limit: number,
): Promise<FirstParents | undefined> {
  const answer = await askGit(['rev-list', '--first-parent', `--max-count=${limit}`, sha, '--'], context)
  const shas = answer?.split('\n').filter(isFullSha)
  const last = shas?.at(-1)
  if (shas === undefined || last === undefined) return undefined
  if (shas.length === limit) return { shas, end: 'limit' }
  const [parent] = (await readParents(last, context)) ?? []
  return parent === undefined ? { shas, end: 'first' } : { shas: [...shas, parent], end: 'unknown' }
}

/** Number of first parents that are stored with a commit, so that commits which were not measured leave no gap. */
const STORED_FIRST_PARENTS = 32

/**
 * The ancestors of a commit, to be stored with it.
 * @param revision an id or a name such as `HEAD`
 * @returns undefined when git does not know the commit
 */
export async function readAncestry(revision: string, context: GitContext): Promise<Ancestry | undefined> {
  const most = STORED_FIRST_PARENTS + 1
  // `--header` shows the parents that each commit names, also at the end of a shallow clone.
  const answer = await askGit(
    ['rev-list', '--first-parent', `--max-count=${most}`, '--header', `${revision}^{commit}`, '--'],
    context,
  )
  const parents = answer?.split('\0').slice(0, -1).map(parseParents) ?? []
  if (parents[0] === undefined) return undefined
  const firstParents = parents.flatMap(([first]) => first ?? []).slice(0, STORED_FIRST_PARENTS)
  return { parents: parents[0], firstParents, isComplete: parents.at(-1)?.length === 0 }
}

/** The parents that a commit itself names. `%P` of git shows none at the end of a shallow clone. */
export async function readParents(sha: string, context: GitContext): Promise<readonly string[] | undefined> {
  const answer = await askGit(['cat-file', 'commit', sha], context)
  if (answer === undefined) return undefined
  return parseParents(answer)
}

/** @param commit the commit as git stores it. Its header ends with an empty line. */
function parseParents(commit: string): readonly string[] {
  const [header = ''] = commit.split('\n\n', 1)
  return [...header.matchAll(/^parent ([0-9a-f]{40})$/gm)].map(([, parent = '']) => parent)
}

/** The best common ancestors of two commits. There are several after crossed merges. */
export async function readMergeBases(one: string, other: string, context: GitContext): Promise<readonly string[]> {
  const answer = await askGit(['merge-base', '--all', one, other], context)
  return answer?.split('\n').filter(isFullSha) ?? []
}

/** Whether git knows only the newest commits. */
export async function isShallow(context: GitContext): Promise<boolean> {
  return (await askGit(['rev-parse', '--is-shallow-repository'], context))?.trim() === 'true'
}

/** @returns the output; undefined when git is missing or fails */
async function askGit(args: readonly string[], context: GitContext): Promise<string | undefined> {
  try {
    const answer = await runGit(args, context)
    return answer.ok ? answer.stdout : undefined
  } catch (error) {
    if (error instanceof IngestError && error.code === 'git_failed') return undefined
    throw error
  }
}

/** The folder of the repository, where git keeps its own files. @returns undefined without a repository */
export async function findGitFolder(context: GitContext): Promise<string | undefined> {
  return (await askGit(['rev-parse', '--absolute-git-dir'], context))?.trim()
}
