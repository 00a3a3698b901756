/** Statistics that a few extreme values do not move. */

/** The standard deviation of normally distributed values, divided by their median distance from the middle. */
const TO_DEVIATION = 1.4826
/** How much larger the variance of a median is than that of a mean, for normally distributed values. */
const MEDIAN_VARIANCE = Math.PI / 2

/** The median of the values that are not NaN; NaN when there are none. */
export function median(values: ArrayLike<number>): number {
  // Sorting a typed array puts NaN last.
  const sorted = new Float64Array(values).sort()
  let count = sorted.length
  while (count > 0 && Number.isNaN(sorted[count - 1])) count--
  const middle = count >> 1
  if (count % 2 === 1) return sorted[middle]!
  return count === 0 ? NaN : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The standard deviation of values around a known middle, estimated from their median distance. */
export function robustDeviation(values: ArrayLike<number>, middle = median(values)): number {
  return TO_DEVIATION * median(Float64Array.from(values, value => Math.abs(value - middle)))
}

/** The variance of the median of `count` values whose variance is 1. */
export function medianVariance(count: number): number {
  return count < 3 ? 1 / count : MEDIAN_VARIANCE / count
}
