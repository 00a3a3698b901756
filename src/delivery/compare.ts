/** `compare`: reports the changes between two stored commits, and which of them are statistically significant. */

import { compareCommits, type Comparison } from '../analysis/comparison.js'
import type { Environment } from '../commit/ci.js'
import { lookUpCommit } from '../commit/git.js'
import { IngestError } from '../errors.js'
import type { Access } from '../database/queries/commit-access.js'
import type { CommitSummary } from '../database/queries/commits.js'
import type { CommitReader, ReadableCommits } from './commit-reader.js'

export type CompareOptions = {
  /** The database or server that holds both commits. */
  readonly target: ReadableCommits
  /** The newer commit, named like the base. Default: the stored commit with the latest timestamp. */
  readonly head?: string | undefined
  /** The smallest ratio of two values that counts as a change; must exceed 1. Default: 1.1. */
  readonly threshold?: number | undefined
  /** The repository that resolves names such as `main~3`. Default: that of the current folder. */
  readonly gitDir?: string | undefined
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
  /** The database in words, without secrets. */
  readonly target: string
}

const THRESHOLD = 1.1

/**
 * Compares two stored commits, per series. Values are nanoseconds or bytes as emitted.
 * @param base the older commit: an id, a prefix of at least four digits, or a name that git resolves
 * @throws {IngestError} `commit_unknown` when a commit is not stored; `usage` when both are the same
 */
export async function compare(base: string, options: CompareOptions): Promise<CompareResult> {
  const { target, threshold = THRESHOLD, signal = new AbortController().signal } = options
  const reader = await target.openReader(signal)
  try {
    const commits = await findCommits(reader, base, { ...options, signal })
    const { kinds, access } = await reader.rows(commits.base.sha, commits.head.sha)
    signal.throwIfAborted()
    return { ...compareCommits(kinds, threshold), ...commits, access, threshold, target: reader.description }
  } finally {
    await reader.close()
  }
}

type Naming = Pick<CompareOptions, 'head' | 'gitDir' | 'env'> & { readonly signal: AbortSignal }

async function findCommits(
  reader: CommitReader,
  baseName: string,
  { head: headName, gitDir, env = process.env, signal }: Naming,
): Promise<Pick<CompareResult, 'base' | 'head'>> {
  const lookUp = (name: string): Promise<string | undefined> => lookUpCommit(name, { gitDir, env, signal })
  const base = await reader.find(baseName, lookUp)
  const head = headName === undefined ? await newestCommit(reader) : await reader.find(headName, lookUp)
  if (base.sha !== head.sha) return { base, head }
  const which = headName === undefined ? `${base.sha} is itself the newest stored commit` : `both are ${base.sha}`
  const hint = 'name an older commit first, or another HEAD after it'
  throw new IngestError('usage', `nothing to compare: ${which}`, { hint })
}

async function newestCommit(reader: CommitReader): Promise<CommitSummary> {
  const [found] = await reader.newest(1)
  if (found !== undefined) return found
  throw new IngestError('commit_unknown', 'no commit is stored', { hint: '`vortex-ingest push …` stores some' })
}
