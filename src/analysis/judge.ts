/** Judges how each series changed between two commits and whether the change is significant. */

import { leastP, rankTester, type RankTest } from './rank-test.js'
import type { Measurement, Pair } from './series.js'

/** Significance level: a change with a q-value below this is significant. */
export const MOST_CHANCE = 0.05
/** Minimum number of runs per side. With fewer, no result of the test can be significant. */
export const FEWEST_RUNTIMES = 4

/** `unproven`: the change exceeds the threshold but may be chance. `unjudged`: the series cannot be compared. */
export type SeriesVerdict = 'slower' | 'faster' | 'larger' | 'smaller' | 'unproven' | 'unjudged' | 'unchanged'

export type SeriesChange = Pair & {
  /** The head value divided by the base value; undefined when there is no meaningful ratio. */
  readonly ratio: number | undefined
  /** Result of the rank test; undefined for kinds without runtimes and for series with too few. */
  readonly test: (RankTest & { readonly q: number }) | undefined
  readonly verdict: SeriesVerdict
  /** Why the series is `unjudged`; undefined otherwise. */
  readonly reason: 'few_runtimes' | 'no_ratio' | undefined
}

/**
 * Judges each pair of measurements.
 * @param threshold must exceed 1; a ratio of at least this, or of at most its inverse, counts as a change
 */
export function judge(pairs: readonly Pair[], threshold: number): readonly SeriesChange[] {
  const test = rankTester()
  const tests = pairs.map(({ base, head }) =>
    isTestable(base) && isTestable(head) ? test(base.runtimes, head.runtimes) : undefined,
  )
  const qs = falseDiscoveryRates(tests.flatMap(found => found?.p ?? [])).values()
  return pairs.map((pair, index) => {
    const found = tests[index]
    const tested = found && { ...found, q: qs.next().value ?? 1 }
    return judgePair(pair, tested, threshold)
  })
}

type Testable = Measurement & { readonly runtimes: readonly bigint[] }

function isTestable(row: Measurement): row is Testable {
  return row.runtimes !== undefined && row.runtimes.length >= FEWEST_RUNTIMES
}

/** Sizes are exact, so any difference beyond the threshold counts. Durations must also be significant. */
function judgePair(pair: Pair, test: SeriesChange['test'], threshold: number): SeriesChange {
  const ratio = valueRatio(pair.base.value, pair.head.value)
  const change = { ...pair, ratio, test, reason: undefined }
  const timed = pair.head.runtimes !== undefined
  if (ratio === undefined) return { ...change, verdict: 'unjudged', reason: 'no_ratio' }
  if (timed && test === undefined) return { ...change, verdict: 'unjudged', reason: 'few_runtimes' }
  const way = ratio >= threshold ? 1 : ratio <= 1 / threshold ? -1 : 0
  if (way === 0) return { ...change, verdict: 'unchanged' }
  if (!timed) return { ...change, verdict: way > 0 ? 'larger' : 'smaller' }
  // The runs must have changed in the same direction as the median.
  const isReal = test !== undefined && test.q < MOST_CHANCE && test.direction === way
  return { ...change, verdict: !isReal ? 'unproven' : way > 0 ? 'slower' : 'faster' }
}

export function isRegression({ verdict }: Pick<SeriesChange, 'verdict'>): boolean {
  return verdict === 'slower' || verdict === 'larger'
}

/**
 * How many tested series must change together before any can be significant: with few runs, even the smallest possible
 * p-value is not small enough for one series among many.
 */
export function fewestToBeReal(changes: readonly SeriesChange[]): number {
  const tested = changes.filter(({ test }) => test !== undefined)
  const least = tested
    .map(({ base, head }) => leastP(base.runtimes!.length, head.runtimes!.length))
    .sort((a, b) => a - b)
  const found = least.findIndex((p, index) => (p * least.length) / (index + 1) < MOST_CHANCE)
  return found === -1 ? Infinity : found + 1
}

/** `head` divided by `base`; 1 when they are equal. Undefined when they differ and either is not positive. */
export function valueRatio(base: bigint, head: bigint): number | undefined {
  if (base === head) return 1
  return base > 0n && head > 0n ? Number(head) / Number(base) : undefined
}

/** The geometric mean, in which twice as large and half as large cancel out; undefined for an empty list. */
export function geometricMean(ratios: readonly number[]): number | undefined {
  if (ratios.length === 0) return undefined
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
}

/**
 * The Benjamini-Hochberg q-value of each p-value, in the same order. Among all tests with a q-value below a limit, the
 * expected share of false positives is at most that limit.
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
