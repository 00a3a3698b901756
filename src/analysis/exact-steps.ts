/** Finds the change points of a series without noise, such as the size of a file. */

import type { Split } from './change-points.js'

const MIN_EQUAL = 3

/**
 * The steps between equal values. The newest value may stand alone, because nothing shows yet that it does not last.
 * @returns undefined when there is noise: some value is not repeated
 */
export function exactSplits(values: Float64Array): readonly Split[] | undefined {
  const starts = Array.from(values.keys()).filter(index => index === 0 || values[index] !== values[index - 1])
  const lengths = starts.map((start, at) => (starts[at + 1] ?? values.length) - start)
  if (!lengths.slice(0, -1).every(length => length >= MIN_EQUAL)) return undefined
  return starts.slice(1).map(index => {
    const place = { index, earliest: index, latest: index }
    return { ...place, shift: values[index]! - values[index - 1]!, p: 0 }
  })
}
