/** Correction for multiple tests, because among many series some seem to change by chance alone. */

/**
 * The Benjamini-Hochberg q-value of each p-value, in the same order. Among all tests with a q-value below a limit, the
 * expected share of
 * false positives is at most that limit.
 */
export function falseDiscoveryRates(ps: readonly number[]): readonly number[] {
  const order = ps.map((p, index) => ({ p, index })).sort((a, b) => b.p - a.p)
  const qs = new Array<number>(ps.length)
  let least = 1
  for (const [fromLargest, { p, index }] of order.entries()) {
    const rank = ps.length - fromLargest
    least = Math.min(least, (p * ps.length) / rank)
    qs[index] = least
  }
  return qs
}
