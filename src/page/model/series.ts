/** A series of a chart, and the choice of series by search words. */

import type { Scale } from '../address.js'

export type Values = readonly (number | null)[]

export type Series = {
  /** The same on every panel of the group, except on `EVERY`. */
  readonly id: string
  readonly name: string
  /** The format. The colour of the series shows it. */
  readonly family: string
  /** The engine or the open mode, empty where there is neither. The dashes of the series show it. */
  readonly variant: string
  /** One value for each commit. */
  readonly values: Values
  /** For sizes with a known compression ratio: the ratio when `values` are bytes, the bytes when `values` are ratios. */
  readonly beside?: Values | undefined
  /** The middle half of the runs at each commit. Undefined unless it was requested and is known. */
  readonly spread?: RunSpread | undefined
}

/** The lower and the upper quartile of the runs at each commit. */
export type RunSpread = { readonly low: Values; readonly high: Values }

/** Whether a name contains all words, and none of the words that start with `-`. */
export function matchesWords(name: string, find: string): boolean {
  const text = name.toLowerCase()
  return find
    .toLowerCase()
    .split(/\s+/)
    .filter(word => word !== '' && word !== '-')
    .every(word => (word.startsWith('-') ? !text.includes(word.slice(1)) : text.includes(word)))
}

/** The series that match. They include hidden series, which are listed but not drawn. */
export function findSeries<L extends Pick<Series, 'name'>>(series: readonly L[], find: string): readonly L[] {
  return series.filter(({ name }) => matchesWords(name, find))
}

export type SeriesChoice = {
  /** All series of the panel. */
  readonly all: readonly Series[]
  /** The series that match the search words. */
  readonly found: readonly Series[]
  /** The matching series that are not hidden. */
  readonly drawn: readonly Series[]
  readonly scale: Scale
}

/** Explains why a chart is empty. @returns the reason, or undefined when there is something to draw */
export function explainEmptyChart({ all, found, drawn, scale }: SeriesChoice): string | undefined {
  if (all.length === 0) return 'No data at these commits.'
  if (found.length === 0) return 'No series matches.'
  if (drawn.length === 0)
    return found.length < all.length ? 'All matching series are hidden.' : 'All series are hidden.'
  const isDrawable = (value: number | null): boolean => value !== null && (scale === 'linear' || value > 0)
  return drawn.some(({ values }) => values.some(isDrawable))
    ? undefined
    : 'These series have no value that can be drawn.'
}
