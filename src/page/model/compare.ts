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

/** The least value of some lines at a commit, undefined where none is positive. */
export function bestAt(lines: readonly Line[], at: number, exactly: boolean): number | undefined {
  const known = lines
    .map(({ values }) => valueAt(values, at, exactly))
    .filter(value => value !== undefined && value > 0)
  return known.length === 0 ? undefined : known.reduce<number>((best, value) => Math.min(best, value!), Infinity)
}

function placeAt(values: Values, at: number, exactly: boolean): number | undefined {
  for (let place = at; place >= 0; place--) {
    if (typeof values[place] === 'number') return place
    if (exactly) return undefined
  }
  return undefined
}
