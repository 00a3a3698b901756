/** The shape of a history, for who answers it and who reads it. */

/** What `GET /api/history/{slug}` answers. Commits go from the oldest to the newest. */
export type HistoryAnswer = {
  readonly slug: string
  readonly name: string
  readonly kind: string
  readonly unit: 'ns' | 'bytes'
  /** The dimensions that tell the series apart. */
  readonly dimensions: readonly string[]
  readonly commits: readonly HistoryCommit[]
  /** In the order of their dimensions. */
  readonly series: readonly HistorySeries[]
  /** Whether the group has more series than are answered. */
  readonly more: boolean
}

export type HistoryCommit = {
  readonly sha: string
  /** RFC 3339, UTC. */
  readonly timestamp: string
  /** The first line of it. */
  readonly message: string
  readonly author: string
  readonly url: string
}

export type HistorySeries = {
  /** A value for each of `dimensions`. */
  readonly key: readonly string[]
  /** A value for each commit, null where it measured none. */
  readonly values: readonly (number | null)[]
  /** For sizes: the size before compression at each commit, null where it is not known. Other kinds have no such list. */
  readonly uncompressed_bytes?: readonly (number | null)[]
}
