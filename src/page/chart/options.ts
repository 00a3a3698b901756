/** What a chart shows, and whom it tells. */

import type { HistoryCommit } from '../../server/read/history-answer.js'
import type { Scale } from '../address.js'
import type { Unit } from '../format.js'
import type { Line } from '../model/line.js'
import type { Style } from '../model/style.js'

export type DrawnLine = Line & { readonly style: Style }

/** Places of commits, both in sight. */
export type Span = { readonly first: number; readonly last: number }

export type ChartOptions = {
  readonly commits: readonly HistoryCommit[]
  readonly lines: readonly DrawnLine[]
  readonly unit: Unit
  /** The unit of the lines' `beside`; undefined where they have none. */
  readonly besideUnit: Unit | undefined
  readonly scale: Scale
  readonly theme: 'light' | 'dark'
  /** Undefined for all. */
  readonly span: Span | undefined
  /** Where the cursor is: the commit, and the line that is nearest. */
  readonly onCursor: (at: number | undefined, nearest: DrawnLine | undefined) => void
  readonly onSpan: (span: Span | undefined) => void
  readonly onClick: (at: number) => void
}
