/** `compare`: reports the changes between two stored commits, and which of them are statistically significant. */

import type { Environment } from '../commit/ci.js'
import { assertRepository } from '../commit/git.js'
import { withAncestryCache } from './ancestry-cache.js'
import { chooseCommits, type CommitChoice } from './baseline.js'
import type { ReadableCommits } from './commit-reader.js'
import { compareStored, type NoiseChoice, type StoredComparison } from './compare-stored.js'
import type { AskHosting } from './first-parent-history.js'

export type CompareOptions = Omit<CommitChoice, 'base'> &
  NoiseChoice & {
    /** The database or server that holds both commits. */
    readonly target: ReadableCommits
    /** The repository that resolves names such as `main~3`. Default: that of the current folder. */
    readonly gitDir?: string | undefined
    /** Asks the service that hosts the repository for the history of a commit that a shallow clone does not have. */
    readonly askHosting?: AskHosting | undefined
    /** The environment of git. Default: `process.env`. */
    readonly env?: Environment | undefined
    /** Stops the comparison. Its reason becomes the error. */
    readonly signal?: AbortSignal | undefined
  }

export type CompareResult = StoredComparison

/**
 * Compares two stored commits, per series. Values are nanoseconds or bytes as emitted.
 * @param base the older commit: an id, a prefix of at least four digits, or a name that git resolves; undefined for that of
 *   `baseline`
 * @throws {IngestError} `commit_unknown` when a commit is not stored; `usage` when both are the same; `not_found` when no series
 *   is a control
 */
export async function compare(base: string | undefined, options: CompareOptions): Promise<CompareResult> {
  const { target, signal = new AbortController().signal } = options
  const { gitDir, env = process.env, askHosting } = options
  const git = { gitDir, env, signal }
  await assertRepository(git)
  const reader = await target.openReader(signal)
  try {
    const historyOptions = { git, askHosting: askHosting && withAncestryCache(askHosting, git) }
    const commits = await chooseCommits(reader, { ...options, base }, historyOptions)
    const result = await compareStored(reader, commits, options)
    signal.throwIfAborted()
    return result
  } finally {
    await reader.close()
  }
}
