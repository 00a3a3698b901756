/** `compare`: reports the changes between two stored commits, and which of them are statistically significant. */

import { compareCommits, type Comparison } from '../analysis/comparison.js'
import type { Environment } from '../commit/ci.js'
import { lookUpCommit } from '../commit/git.js'
import { wasmHash64 } from '../contract/hash64.js'
import type { SqlSession } from '../database/session.js'
import { IngestError } from '../errors.js'
import type { Access } from '../database/queries/commit-access.js'
import { readCommitRows } from '../database/queries/commit-rows.js'
import { findCommit, newestCommit, type CommitSummary } from '../database/queries/commits.js'

/** A database whose stored commits can be compared. */
export type ComparableTarget = {
  /** Connects to the database. The caller closes the session. */
  readonly openSession: (signal: AbortSignal) => Promise<OpenDatabase>
}

type OpenDatabase = {
  readonly session: SqlSession
  /** The database in words, without secrets. */
  readonly description: string
  readonly close: () => Promise<void>
}

export type CompareOptions = {
  /** The database that holds both commits. */
  readonly target: ComparableTarget
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
  const { session, description, close } = await target.openSession(signal)
  try {
    const commits = await findCommits(session, base, { ...options, signal })
    const shas = { base: commits.base.sha, head: commits.head.sha }
    const { kinds, access } = await readCommitRows(session, shas, { hash: await wasmHash64() })
    signal.throwIfAborted()
    return { ...compareCommits(kinds, threshold), ...commits, access, threshold, target: description }
  } finally {
    await close()
  }
}

type Naming = Pick<CompareOptions, 'head' | 'gitDir' | 'env'> & { readonly signal: AbortSignal }

async function findCommits(
  session: SqlSession,
  baseName: string,
  { head: headName, gitDir, env = process.env, signal }: Naming,
): Promise<Pick<CompareResult, 'base' | 'head'>> {
  const lookUp = (name: string): Promise<string | undefined> => lookUpCommit(name, { gitDir, env, signal })
  const base = await findCommit(session, baseName, lookUp)
  const head = headName === undefined ? await newestCommit(session) : await findCommit(session, headName, lookUp)
  if (base.sha !== head.sha) return { base, head }
  const which = headName === undefined ? `${base.sha} is itself the newest stored commit` : `both are ${base.sha}`
  const hint = 'name an older commit first, or another HEAD after it'
  throw new IngestError('usage', `nothing to compare: ${which}`, { hint })
}
