/** Joins the parts of each series, which were measured on different platforms or read one after the other. */

import type { SeriesPart } from '../database/queries/series-history.js'
import type { SeriesValues } from './commit-reader.js'

type Filling = { readonly values: Float64Array; readonly platforms: (string | null)[] }

/** @param length number of commits in the list whose places the points have */
export function toSeriesValues(parts: Iterable<SeriesPart>, length: number): readonly SeriesValues[] {
  const series = new Map<string, SeriesValues & Filling>()
  for (const { kind, dimensions, platform, points } of parts) {
    const key = JSON.stringify([kind.kind, ...dimensions])
    const known = series.get(key) ?? { kind, dimensions, ...emptyFilling(length) }
    series.set(key, known)
    for (const [place, value] of points) {
      known.values[place] = Number(value)
      known.platforms[place] = platform
    }
  }
  return [...series.values()]
}

function emptyFilling(length: number): Filling {
  return { values: new Float64Array(length).fill(NaN), platforms: new Array<string | null>(length).fill(null) }
}
