/** Finds the first-parent history of a commit: in git, at the hosting service, in the database, and otherwise by time. */

import { isShallow, readFirstParents, type FirstParents } from '../commit/ancestry.js'
import { findRepositoryProblem } from '../commit/git.js'
import type { GitContext } from '../commit/git-process.js'
import { messageOf } from '../errors.js'
import type { CommitReader, FirstParentHistory } from './commit-reader.js'

/** Asks the service that hosts the repository. @returns undefined when no known service hosts it */
export type AskHosting = (
  sha: string,
  limit: number,
) => Promise<Pick<FirstParentHistory, 'shas' | 'isComplete'> | undefined>

export type HistoryOptions = {
  readonly git: GitContext
  /** Asked only when git does not have the whole history. */
  readonly askHosting?: AskHosting | undefined
  /** Maximum number of commits. Default: 10,000. */
  readonly limit?: number | undefined
}

const LIMIT = 10_000
/** The hosting service needs a request for every 100 commits at best. */
const MAX_HOSTED = 1_000
/** Number of commits that are ordered by time. */
const MAX_BY_TIME = 1_000

/**
 * Follows first parents from a commit.
 * @param head full id of a commit, which may not be stored
 */
export async function readFirstParentHistory(
  head: string,
  reader: CommitReader,
  options: HistoryOptions,
): Promise<FirstParentHistory> {
  const { git, limit = LIMIT } = options
  const known = await readFirstParents(head, git, limit)
  if (known !== undefined && known.end !== 'unknown') return { shas: known.shas, isComplete: true, source: 'git' }
  const reason = await describeGap(head, known, git)
  const { answer, problem } = await askForHistory(head, options)
  if (answer?.isComplete === true)
    return { ...answer, source: 'hosting', note: `${reason}, so its history was read from the hosting service` }
  const shas = [known?.shas ?? [head], answer?.shas ?? []].toSorted((one, other) => other.length - one.length)[0]!
  const advice = `${problem}; ${known === undefined ? REPOSITORY_ADVICE : FETCH_ADVICE}`
  const gap = { shas, reason, advice, limit }
  return (await continueByParents(gap, reader)) ?? continueByTime(gap, reader)
}

const FETCH_ADVICE = 'run `git fetch --unshallow`, or in GitHub Actions give actions/checkout `fetch-depth: 0`'
const REPOSITORY_ADVICE = 'run the command in the repository with its history, or name it with --git-dir DIR'

async function describeGap(head: string, known: FirstParents | undefined, git: GitContext): Promise<string> {
  if (known !== undefined) return `the clone is shallow and has only a part of the history of ${head.slice(0, 7)}`
  const problem = await findRepositoryProblem(git).catch(() => undefined)
  // Outside of a repository, the commit is all that git does not know.
  if (problem?.code === 'git_failed') return `${problem.message} (${problem.hint})`
  const isMissing = await isShallow(git)
  return isMissing ? `the clone is shallow and lacks ${head.slice(0, 7)}` : `git does not know ${head.slice(0, 7)} here`
}

/** A failing service must not fail the command, because its answer can be replaced. */
async function askForHistory(
  head: string,
  { askHosting, limit = LIMIT }: HistoryOptions,
): Promise<{ readonly answer: Awaited<ReturnType<AskHosting>>; readonly problem: string }> {
  try {
    return { answer: await askHosting?.(head, Math.min(limit, MAX_HOSTED)), problem: '' }
  } catch (error) {
    return { answer: undefined, problem: ` (the request to the hosting service failed: ${messageOf(error)})` }
  }
}

/** The known first part of a history, and why the rest is missing. */
type Gap = {
  readonly shas: readonly string[]
  readonly reason: string
  readonly advice: string
  readonly limit: number
}

/** @returns undefined when the parents of the last known commit are not stored */
async function continueByParents(
  { shas: known, reason, advice, limit }: Gap,
  reader: CommitReader,
): Promise<FirstParentHistory | undefined> {
  const stored = await reader.firstParents(known.at(-1)!, limit)
  if (stored.shas.length === 1 && stored.end === 'unknown') return undefined
  const shas = [...known, ...stored.shas.slice(1)].slice(0, limit)
  const isComplete = stored.end === 'first' || shas.length === limit
  const note = `${reason}, so its history was read from the parents that are stored`
  return { shas, isComplete, source: 'database', note: isComplete ? note : `${note}, which end early${advice}` }
}

async function continueByTime(
  { shas: known, reason, advice, limit }: Gap,
  reader: CommitReader,
): Promise<FirstParentHistory> {
  const shas = [...known, ...(await olderByTime(known, reader))].slice(0, limit)
  return { shas, isComplete: false, source: 'time', note: `${reason}, so commits are ordered by their time${advice}` }
}

/** The stored commits that are older than the oldest stored one of `shas`. */
async function olderByTime(shas: readonly string[], reader: CommitReader): Promise<readonly string[]> {
  const newest = (await reader.newest(MAX_BY_TIME)).map(({ sha }) => sha)
  const last = Math.max(...shas.map(sha => newest.indexOf(sha)))
  return newest.slice(last + 1).filter(sha => !shas.includes(sha))
}
