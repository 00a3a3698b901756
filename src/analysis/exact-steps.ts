/** Finds the change points of a series without noise, such as the size of a file. */

import type { Split } from './change-points.js'

/** A level has at least this many equal values. */
const MIN_EQUAL = 3

/**
 * Returns the steps from one level to the next. The newest value alone may be a level, because nothing shows yet that it does not last.
 * @returns undefined when there is noise: some value is not repeated
 */
export function exactSplits(values: Float64Array): readonly Split[] | undefined {
  const starts = Array.from(values.keys()).filter(index => index === 0 || values[index] !== values[index - 1])
  const lengths = starts.map((start, at) => (starts[at + 1] ?? values.length) - start)
  if (!lengths.slice(0, -1).every(length => length >= MIN_EQUAL)) return undefined
  return starts.slice(1).map(index => {
    const certain = { index, earliest: index, latest: index }
    return { ...certain, shift: values[index]! - values[index - 1]!, p: 0 }
  })
}
