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
  const { isComplete, source, hasParents, ...found } = await continueStoredHistory(shas, reader, limit)
  const parents = 'its history was read from the parents that are stored'
  if (isComplete) return { ...found, isComplete, source, note: `${reason}, so ${parents}` }
  const advice = `${problem}; ${known === undefined ? REPOSITORY_ADVICE : FETCH_ADVICE}`
  const note = hasParents
    ? `${reason}, so ${parents} as far as they reach, and older commits are ordered by their time`
    : `${reason}, so commits are ordered by their time`
  return { ...found, isComplete, source, note: `${note}${advice}` }
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

type ContinuedHistory = Omit<FirstParentHistory, 'note'> & {
  /** Whether the parents of the last known commit are stored. */
  readonly hasParents: boolean
}

/** @param known the known first part of a history */
async function continueStoredHistory(
  known: readonly string[],
  reader: CommitReader,
  limit: number,
): Promise<ContinuedHistory> {
  const stored = await reader.firstParents(known.at(-1)!, limit)
  const shas = [...known, ...stored.shas.slice(1)].slice(0, limit)
  const hasParents = stored.shas.length > 1 || stored.end === 'first'
  if (stored.end === 'first' || shas.length === limit) return { shas, isComplete: true, source: 'database', hasParents }
  const older = await olderByTime(shas, reader)
  return { shas: [...shas, ...older].slice(0, limit), isComplete: false, source: 'time', hasParents }
}

/** The stored commits that are older than the oldest stored one of `shas`. */
async function olderByTime(shas: readonly string[], reader: CommitReader): Promise<readonly string[]> {
  const newest = (await reader.newest(MAX_BY_TIME)).map(({ sha }) => sha)
  const last = Math.max(...shas.map(sha => newest.indexOf(sha)))
  return newest.slice(last + 1).filter(sha => !shas.includes(sha))
}
