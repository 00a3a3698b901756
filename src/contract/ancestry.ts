/** The ancestors of a commit, which are stored with it where the database is ours, and travel in a request header. */

import { isFullSha, type Commit } from './commit.js'

export type Ancestry = {
  /** The parents of the commit, in their order. */
  readonly parents: readonly string[]
  /** The first parent, its first parent and so on, as far as they are known and worth storing. */
  readonly firstParents: readonly string[]
  /** Whether `firstParents` ends with the first commit of the history. */
  readonly isComplete: boolean
  /** Whether the commit was measured for a pull request. Default: false. */
  readonly isPullRequest?: boolean | undefined
}

/** A commit with its ancestors, which are not among its fields. */
export type MeasuredCommit = Commit & {
  /** Undefined for a commit that git did not describe. */
  readonly ancestry?: Ancestry | undefined
}

/** Request header with the ancestors of the commit. Servers that do not know it ignore it. */
export const ANCESTRY_HEADER = 'vortex-ingest-ancestry'

const MAX_SHAS = 100

/** The last part of the text of a commit that was measured for a pull request. */
const PULL_REQUEST = 'pull-request'

/**
 * The value of `ANCESTRY_HEADER`: the parents, the further first parents, and whether they are all, as `A B; C D; complete`. Ends
 * with `; pull-request` when the commit was measured for one.
 */
export function formatAncestry({ parents, firstParents, isComplete, isPullRequest = false }: Ancestry): string {
  const parts = [parents.join(' '), firstParents.slice(1).join(' '), isComplete ? 'complete' : 'partial']
  return [...parts, ...(isPullRequest ? [PULL_REQUEST] : [])].join('; ')
}

/** Reads an ancestry. @returns undefined when the text is not one */
export function parseAncestry(text: string): Ancestry | undefined {
  const [first, further, end, mark, ...others] = text.split(';').map(part => part.trim().split(' ').filter(Boolean))
  if (first === undefined || further === undefined || others.length > 0) return undefined
  if (mark !== undefined && String(mark) !== PULL_REQUEST) return undefined
  const shas = [...first, ...further]
  if (shas.length > MAX_SHAS || !shas.every(isFullSha) || !['complete', 'partial'].includes(String(end)))
    return undefined
  const firstParents = [...first.slice(0, 1), ...further]
  const isPullRequest = mark !== undefined
  return { parents: first, firstParents, isComplete: String(end) === 'complete', isPullRequest }
}
