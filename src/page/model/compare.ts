/** Compares lines at a commit: the value there, the previous value, and the best and greatest value of all lines. */

import type { Line, Values } from './line.js'
import type { Better } from './measure.js'

/** @param exactly false falls back to the last value before the commit */
export function valueAt(values: Values, at: number, exactly: boolean): number | undefined {
  const place = placeAt(values, at, exactly)
  return place === undefined ? undefined : values[place]!
}

/** The last value before the one that `valueAt` returns. */
export function valueBefore(values: Values, at: number, exactly: boolean): number | undefined {
  const place = placeAt(values, at, exactly)
  return place === undefined ? undefined : valueAt(values, place - 1, false)
}

export type Extremes = { readonly best: number | undefined; readonly greatest: number | undefined }

export type Asked = {
  /** Index of the commit. */
  readonly at: number
  /** False falls back to the last value before the commit. */
  readonly exactly: boolean
  readonly better: Better
}

/** The best and the greatest positive value of the lines at a commit. */
export function extremesAt(lines: readonly Line[], { at, exactly, better }: Asked): Extremes {
  const values = lines.map(({ values }) => valueAt(values, at, exactly) ?? 0).filter(value => value > 0)
  if (values.length === 0) return { best: undefined, greatest: undefined }
  const greatest = values.reduce((one, other) => Math.max(one, other))
  const least = values.reduce((one, other) => Math.min(one, other))
  return { best: better === 'lower' ? least : greatest, greatest }
}

function placeAt(values: Values, at: number, exactly: boolean): number | undefined {
  for (let place = at; place >= 0; place--) {
    if (typeof values[place] === 'number') return place
    if (exactly) return undefined
  }
  return undefined
}
