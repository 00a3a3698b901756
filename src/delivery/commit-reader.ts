/** Reads stored commits and their measurements, from a database or through a server's read API. */

import type { KindRows } from '../analysis/comparison.js'
import type { FirstParents } from '../commit/ancestry.js'
import type { Kind } from '../contract/kinds.js'
import type { Access } from '../database/queries/commit-access.js'
import type { StoredCommit } from '../database/queries/commits.js'

export type { StoredCommit }

/** Resolves a git revision such as `main~3` to a full commit id; undefined when git does not know the name. */
export type LookUp = (name: string) => Promise<string | undefined>

/** The values of one series at a list of commits. */
export type SeriesValues = {
  readonly kind: Kind
  /** Values of the `seriesDimensions`, in their order. */
  readonly dimensions: readonly (string | null)[]
  /** Nanoseconds or bytes, one for each commit in the order of the list; NaN where the series was not measured. */
  readonly values: Float64Array
  /** Target triple of the measuring machine at each commit; null where it is unknown or was not measured. */
  readonly platforms: readonly (string | null)[]
}

export interface CommitReader {
  /** The database or server in words, without secrets. */
  readonly description: string
  /**
   * Finds a stored commit by id, by a prefix of at least four digits, or by a name that `lookUp` resolves.
   * @throws {IngestError} `commit_unknown` when no such commit is stored; `usage` when a prefix is ambiguous
   */
  find(name: string, lookUp: LookUp): Promise<StoredCommit>
  /** The newest stored commits by timestamp, newest first. */
  newest(limit: number): Promise<readonly StoredCommit[]>
  /** The newest commit of the main line as far as stored parents show it; undefined when no commit is stored. */
  mainHead(): Promise<string | undefined>
  /** Those of the given commits that are stored, in the given order. */
  stored(shas: readonly string[]): Promise<readonly StoredCommit[]>
  /**
   * All rows of two commits with their runs. A database answers from one snapshot; a server answers in pages, so rows of a push
   * that runs at the same time may be missing.
   */
  rows(base: string, head: string): Promise<{ readonly kinds: readonly KindRows[]; readonly access: readonly Access[] }>
  /** The first-parent history of a commit as far as the parents of commits are stored; begins with the commit itself. */
  firstParents(sha: string, limit: number): Promise<FirstParents>
  /** The values of every series that was measured at any of the given commits. */
  history(shas: readonly string[]): Promise<readonly SeriesValues[]>
  close(): Promise<void>
}

/** Reads what the analysis of a history needs. */
export type HistoryReader = Pick<CommitReader, 'find' | 'mainHead' | 'stored' | 'history'>

/** A target whose commits can be read. */
export type ReadableCommits = {
  /** Connects to the target. The caller closes the reader. */
  readonly openReader: (signal: AbortSignal) => Promise<CommitReader>
}

/** The first-parent history of a commit. */
export type FirstParentHistory = {
  /** Full ids, newest first; begins with the commit itself. */
  readonly shas: readonly string[]
  /** Whether the history reaches the first commit or the limit; false in a shallow clone. */
  readonly isComplete: boolean
  /** `time`: where the known part ends, the stored commits follow in the order of their timestamps. */
  readonly source: 'git' | 'hosting' | 'database' | 'time'
  /** Unless git had the whole history: why, what was used instead, and how to get the whole history. */
  readonly note?: string
}
