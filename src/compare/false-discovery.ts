/** Many tests at once: among so many series some seem to change by chance alone. */

/**
 * Benjamini and Hochberg's q for each p, in the same order: among all with a q below some limit, that limit is the share
 * that may be expected to be chance.
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
