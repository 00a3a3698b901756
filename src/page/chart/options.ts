/** The data and callbacks of a chart. */

import type { HistoryCommit } from '../../server/read/history-answer.js'
import type { Scale } from '../address.js'
import type { Unit } from '../format.js'
import type { Line } from '../model/line.js'
import type { Style } from '../model/style.js'

export type DrawnLine = Line & { readonly style: Style }

/** Indexes of the first and last visible commit, inclusive. */
export type Span = { readonly first: number; readonly last: number }

export type ChartOptions = {
  readonly commits: readonly HistoryCommit[]
  readonly lines: readonly DrawnLine[]
  readonly unit: Unit
  /** The unit of the lines' `beside`, or undefined when they have none. */
  readonly besideUnit: Unit | undefined
  readonly scale: Scale
  readonly theme: 'light' | 'dark'
  /** Undefined shows all commits. */
  readonly span: Span | undefined
  /** Called with the commit under the cursor and the line nearest to it. */
  readonly onCursor: (at: number | undefined, nearest: DrawnLine | undefined) => void
  readonly onSpan: (span: Span | undefined) => void
  readonly onClick: (at: number) => void
}
