/** The data and callbacks of a chart. */

import type { HistoryCommit } from '../../server/read/answers.js'
import type { Scale } from '../address.js'
import type { Unit } from '../format.js'
import type { Series } from '../model/series.js'
import type { Style } from '../model/style.js'

export type DrawnSeries = Series & { readonly style: Style }

/** Indexes of the first and last visible commit, inclusive. */
export type Span = { readonly first: number; readonly last: number }

/** A change of a series: the place of its commit, and the new level as a multiple of the old one. */
/** `accepted`: the note with which somebody accepted the change, or null. */
export type SeriesMark = { readonly at: number; readonly ratio: number; readonly accepted: string | null }

export type ChartOptions = {
  readonly commits: readonly HistoryCommit[]
  readonly series: readonly DrawnSeries[]
  readonly unit: Unit
  /** The unit of the series' `beside`, or undefined when they have none. */
  readonly besideUnit: Unit | undefined
  readonly scale: Scale
  readonly theme: 'light' | 'dark'
  /** Undefined shows all commits. */
  readonly span: Span | undefined
  /** Called with the commit under the cursor and the series nearest to it. */
  readonly onCursor: (at: number | undefined, nearest: DrawnSeries | undefined) => void
  readonly onSpan: (span: Span | undefined) => void
  readonly onClick: (at: number) => void
  /** The commits at which a series changed for good, by its id. */
  readonly changes: ReadonlyMap<string, readonly SeriesMark[]>
}
