/** A line's value at a commit, the one before it, and the best of all there. */

import type { Line, Values } from './line.js'

/** @param exactly whether an older value does not count */
export function valueAt(values: Values, at: number, exactly: boolean): number | undefined {
  const place = placeAt(values, at, exactly)
  return place === undefined ? undefined : values[place]!
}

/** What the line measured last before its value at that commit. */
export function valueBefore(values: Values, at: number, exactly: boolean): number | undefined {
  const place = placeAt(values, at, exactly)
  return place === undefined ? undefined : valueAt(values, place - 1, false)
}

export type Extremes = { readonly best: number | undefined; readonly worst: number | undefined }

/** The least and the greatest positive value of some lines at a commit. */
export function extremesAt(lines: readonly Line[], at: number, exactly: boolean): Extremes {
  let [best, worst] = [Infinity, 0]
  for (const { values } of lines) {
    const value = valueAt(values, at, exactly) ?? 0
    if (value <= 0) continue
    best = Math.min(best, value)
    worst = Math.max(worst, value)
  }
  return worst === 0 ? { best: undefined, worst: undefined } : { best, worst }
}

function placeAt(values: Values, at: number, exactly: boolean): number | undefined {
  for (let place = at; place >= 0; place--) {
    if (typeof values[place] === 'number') return place
    if (exactly) return undefined
  }
  return undefined
}
