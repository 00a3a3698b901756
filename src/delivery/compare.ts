/** `compare`: reports the changes between two stored commits, and which of them are statistically significant. */

import { compareCommits, type Comparison } from '../analysis/comparison.js'
import type { Environment } from '../commit/ci.js'
import type { Access } from '../database/queries/commit-access.js'
import type { CommitSummary } from '../database/queries/commits.js'
import { withAncestryCache } from './ancestry-cache.js'
import { chooseCommits, type CommitChoice } from './baseline.js'
import type { ReadableCommits } from './commit-reader.js'
import type { AskHosting } from './main-line.js'

export type CompareOptions = Omit<CommitChoice, 'base'> & {
  /** The database or server that holds both commits. */
  readonly target: ReadableCommits
  /** The smallest ratio of two values that counts as a change; must exceed 1. Default: 1.1. */
  readonly threshold?: number | undefined
  /** The repository that resolves names such as `main~3`. Default: that of the current folder. */
  readonly gitDir?: string | undefined
  /** Asks the service that hosts the repository for the history of a commit that a shallow clone does not have. */
  readonly askHosting?: AskHosting | undefined
  /** The environment of git. Default: `process.env`. */
  readonly env?: Environment | undefined
  /** Stops the comparison. Its reason becomes the error. */
  readonly signal?: AbortSignal | undefined
}

export type CompareResult = Comparison & {
  readonly base: CommitSummary
  readonly head: CommitSummary
  /** How the rows of each table were found. */
  readonly access: readonly Access[]
  readonly threshold: number
  /** The database or server in words, without secrets. */
  readonly target: string
  /** Sentences about how the commits were found, where that is not obvious. */
  readonly remarks: readonly string[]
}

const THRESHOLD = 1.1

/**
 * Compares two stored commits, per series. Values are nanoseconds or bytes as emitted.
 * @param base the older commit: an id, a prefix of at least four digits, or a name that git resolves; undefined for that of
 *   `baseline`
 * @throws {IngestError} `commit_unknown` when a commit is not stored; `usage` when both are the same
 */
export async function compare(base: string | undefined, options: CompareOptions): Promise<CompareResult> {
  const { target, threshold = THRESHOLD, signal = new AbortController().signal } = options
  const { gitDir, env = process.env, askHosting } = options
  const git = { gitDir, env, signal }
  const reader = await target.openReader(signal)
  try {
    const line = { git, askHosting: askHosting && withAncestryCache(askHosting, git) }
    const { history: _, ...commits } = await chooseCommits(reader, { ...options, base }, line)
    const { kinds, access } = await reader.rows(commits.base.sha, commits.head.sha)
    signal.throwIfAborted()
    return { ...compareCommits(kinds, threshold), ...commits, access, threshold, target: reader.description }
  } finally {
    await reader.close()
  }
}
