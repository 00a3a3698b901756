/** The response types of the read API that the page uses too. */

import type { DeliveryEntry } from '../../reports/lineage.js'

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
  /** Lower and upper quartile of the runs at each commit, when `runs` was asked for. Absent for sizes, which have no runs. */
  readonly low?: readonly (number | null)[]
  readonly high?: readonly (number | null)[]
}

/** One group of `GET /api/groups`, with those of the optional columns that its kind has. */
export type GroupEntry = {
  readonly slug: string
  readonly name: string
  readonly kind: string
  /** Number of series. */
  readonly series: number
  readonly dataset?: string | null
  readonly dataset_variant?: string | null
  readonly scale_factor?: string | null
  readonly storage?: string | null
  readonly layout?: string | null
}

/** One commit of `GET /api/commits`. */
export type CommitEntry = {
  readonly commit_sha: string
  readonly timestamp: string
  readonly message: string | null
  readonly author_name: string | null
  readonly url: string
}

/** One push of `GET /api/pushes`. */
export type PushEntry = {
  readonly time: string
  /** Null when the client disconnected before the answer was sent. */
  readonly status: number | null
  readonly ms: number
  readonly bytes?: number
  readonly commit?: string
  readonly records?: number
  readonly inserted?: number
  readonly updated?: number
  readonly error?: string
}

/** Response of `GET /api/changes`. */
export type ChangesAnswer = {
  /** The commits with changes, newest first. */
  readonly commits: readonly HistoryCommit[]
  /** The change points of all series, the largest first. */
  readonly changes: readonly ChangeEntry[]
  /** Numbers of analysed commits and series. */
  readonly analysed: number
  readonly series: number
  /** Whether series or changes were left out, because there are too many. */
  readonly more: boolean
}

export type ChangeEntry = {
  /** SHA of the first commit that was measured with the new level, and of the last one with the old level. */
  readonly commit: string
  readonly before: string
  readonly slug: string
  readonly unit: 'ns' | 'bytes'
  /** The series in its group: names and values of the dimensions that distinguish it. */
  readonly dimensions: readonly string[]
  readonly key: readonly string[]
  /** Mean values before and after. */
  readonly old: number
  readonly new: number
  /** The expected share of false ones among all changes that are as certain as this one. */
  readonly q: number
  /** Values at the measured commits around the change. */
  readonly values: readonly number[]
  /** Index of the first value at the new level. */
  readonly at: number
  /** The note with which somebody accepted the change; null when nobody has. */
  readonly accepted: string | null
}

/** Response of `GET /api/deliveries`. */
export type DeliveriesAnswer = {
  /** Whether the store has deliveries that the server may read. */
  readonly recorded: boolean
  /** Null when the commit or measurement is not stored. */
  readonly commit: string | null
  /** Null when the deliveries of a commit were asked for. */
  readonly measurement: { readonly id: string; readonly kind: string } | null
  /** The newest first. */
  readonly deliveries: readonly DeliveryEntry[]
  /** With a group: the names of the dimensions of its series. */
  readonly dimensions?: readonly string[]
  /** With a group: which delivery wrote or confirmed the value of each series last. */
  readonly series?: readonly { readonly delivery: string; readonly key: readonly string[] }[]
}
