/** `compare`: reports the changes between two stored commits, and which of them are statistically significant. */

import type { Environment } from '../commit/ci.js'
import { lookUpCommit } from '../commit/git.js'
import { IngestError } from '../errors.js'
import type { CommitSummary } from '../database/queries/commits.js'
import type { CommitReader, ReadableCommits } from './commit-reader.js'
import { commitsBefore, compareStored, type NoiseChoice, type StoredComparison } from './compare-stored.js'

export type CompareOptions = NoiseChoice & {
  /** The database or server that holds both commits. */
  readonly target: ReadableCommits
  /** The newer commit, named like the base. Default: the stored commit with the latest timestamp. */
  readonly head?: string | undefined
  /** The repository that resolves names such as `main~3`. Default: that of the current folder. */
  readonly gitDir?: string | undefined
  /** The environment of git. Default: `process.env`. */
  readonly env?: Environment | undefined
  /** Stops the comparison. Its reason becomes the error. */
  readonly signal?: AbortSignal | undefined
}

export type CompareResult = StoredComparison

/**
 * Compares two stored commits, per series. Values are nanoseconds or bytes as emitted.
 * @param base the older commit: an id, a prefix of at least four digits, or a name that git resolves
 * @throws {IngestError} `commit_unknown` when a commit is not stored; `usage` when both are the same; `not_found` when no series
 *   is a control
 */
export async function compare(base: string, options: CompareOptions): Promise<CompareResult> {
  const { target, signal = new AbortController().signal } = options
  const reader = await target.openReader(signal)
  try {
    const commits = await findCommits(reader, base, { ...options, signal })
    const history = await commitsBefore(reader, commits.base.sha)
    const result = await compareStored(reader, { ...commits, history }, options)
    signal.throwIfAborted()
    return result
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
