/** Values of series at a commit, and the extremes and means of many series. */

import type { Series, Values } from './series.js'
import type { Better } from './measure.js'

/** @param exactly false falls back to the last value before the commit */
export function valueAt(values: Values, at: number, exactly: boolean): number | undefined {
  const index = indexWithValue(values, at, exactly)
  return index === undefined ? undefined : values[index]!
}

/** The last value before the one that `valueAt` returns. */
export function valueBefore(values: Values, at: number, exactly: boolean): number | undefined {
  const index = indexWithValue(values, at, exactly)
  return index === undefined ? undefined : valueAt(values, index - 1, false)
}

export type Extremes = { readonly best: number | undefined; readonly greatest: number | undefined }

export type CommitSelection = {
  /** Index of the commit. */
  readonly at: number
  /** False falls back to the last value before the commit. */
  readonly exactly: boolean
  readonly better: Better
}

/** The best and the greatest positive value of the series at a commit. */
export function extremesAt(series: readonly Series[], { at, exactly, better }: CommitSelection): Extremes {
  const values = series.map(({ values }) => valueAt(values, at, exactly) ?? 0).filter(value => value > 0)
  if (values.length === 0) return { best: undefined, greatest: undefined }
  const greatest = values.reduce((one, other) => Math.max(one, other))
  const least = values.reduce((one, other) => Math.min(one, other))
  return { best: better === 'lower' ? least : greatest, greatest }
}

function indexWithValue(values: Values, at: number, exactly: boolean): number | undefined {
  for (let index = at; index >= 0; index--) {
    if (typeof values[index] === 'number') return index
    if (exactly) return undefined
  }
  return undefined
}

/** The least and the greatest value of all series at each commit, which determine the range of the axis. */
export type Extent = { readonly least: (number | null)[]; readonly greatest: (number | null)[] }

/** @param commits number of commits; both values are null at a commit where no series has one */
export function valueExtents(series: readonly Pick<Series, 'values' | 'spread'>[], commits: number): Extent {
  const least = new Array<number | null>(commits).fill(null)
  const greatest = new Array<number | null>(commits).fill(null)
  for (const values of series.flatMap(({ values, spread }) => (spread ? [values, spread.low, spread.high] : [values])))
    for (let at = 0; at < commits; at++) {
      const value = values[at] ?? null
      if (value === null) continue
      least[at] = Math.min(least[at] ?? value, value)
      greatest[at] = Math.max(greatest[at] ?? value, value)
    }
  return { least, greatest }
}

/**
 * The geometric mean of the series at each commit. A series without a value at a commit must not shift the mean. Each value
 * is therefore taken as a multiple of the median of its series, and the mean of these multiples is scaled by the geometric mean
 * of the medians. Values that are not positive are left out, because they have no logarithm.
 */
export function meanSeries(series: readonly Series[]): Series {
  const logs = series.map(({ values }) => values.map(logarithm)).filter(values => values.some(value => value !== null))
  const heights = logs.map(median)
  const height = average(heights)
  const commits = series[0]?.values.length ?? 0
  const values = Array.from({ length: commits }, (_, at) => {
    const moves = logs.flatMap((values, index) =>
      typeof values[at] === 'number' ? [values[at] - heights[index]!] : [],
    )
    return moves.length === 0 ? null : Math.exp(height + average(moves))
  })
  return { ...series[0]!, values, spread: undefined }
}

function logarithm(value: number | null): number | null {
  return value !== null && value > 0 ? Math.log(value) : null
}

function median(values: Values): number {
  const known = values.filter(value => value !== null).sort((a, b) => a - b)
  const middle = known.length / 2
  return (known[Math.ceil(middle) - 1]! + known[Math.floor(middle)]!) / 2
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
