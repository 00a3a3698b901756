/** The response type of a history, shared by the server and the page. */

/** Response of `GET /api/history/{slug}`. Commits are ordered from the oldest to the newest. */
export type HistoryAnswer = {
  readonly slug: string
  readonly name: string
  readonly kind: string
  readonly unit: 'ns' | 'bytes'
  /** Names of the dimensions that distinguish the series. */
  readonly dimensions: readonly string[]
  readonly commits: readonly HistoryCommit[]
  /** Series in the order of their dimensions. */
  readonly series: readonly HistorySeries[]
  /** Whether the group has more series than the answer contains. */
  readonly more: boolean
}

export type HistoryCommit = {
  readonly sha: string
  /** Time of the commit in RFC 3339, UTC. */
  readonly timestamp: string
  /** First line of the commit message. */
  readonly message: string
  readonly author: string
  readonly url: string
}

export type HistorySeries = {
  /** One value for each of `dimensions`. */
  readonly key: readonly string[]
  /** One value for each commit, null where nothing was measured. */
  readonly values: readonly (number | null)[]
  /** For sizes only: the size before compression at each commit, null where it is unknown. Absent for other kinds. */
  readonly uncompressed_bytes?: readonly (number | null)[]
}
