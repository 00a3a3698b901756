/** What became of each series between two commits, and whether that is real. */

import { falseDiscoveryRates } from './false-discovery.js'
import { leastP, rankTester, type RankTest } from './rank-test.js'
import { ratioOf } from './ratio.js'
import type { Measurement, Pair } from './series.js'

/** Below this share of chance a change is called real. */
export const MOST_CHANCE = 0.05
/** With fewer runs a side no test can say anything. */
export const FEWEST_RUNTIMES = 4

/** `unproven`: far enough from 1, but it may be chance. `unjudged`: there is no telling. */
export type Verdict = 'slower' | 'faster' | 'larger' | 'smaller' | 'unproven' | 'unjudged' | 'unchanged'

export type Change = Pair & {
  /** HEAD over BASE; undefined where there is none. */
  readonly ratio: number | undefined
  /** Undefined for kinds without runtimes, or with too few. */
  readonly test: (RankTest & { readonly q: number }) | undefined
  readonly verdict: Verdict
  /** Why it is unjudged. */
  readonly reason: 'few_runtimes' | 'no_ratio' | undefined
}

/** @param threshold more than 1: a ratio from there on, or below its inverse, is a change worth telling */
export function judge(pairs: readonly Pair[], threshold: number): readonly Change[] {
  const test = rankTester()
  const tests = pairs.map(({ base, head }) =>
    isTestable(base) && isTestable(head) ? test(base.runtimes, head.runtimes) : undefined,
  )
  const qs = falseDiscoveryRates(tests.flatMap(found => found?.p ?? [])).values()
  return pairs.map((pair, index) => {
    const found = tests[index]
    const tested = found && { ...found, q: qs.next().value ?? 1 }
    return verdictOf(pair, tested, threshold)
  })
}

type Testable = Measurement & { readonly runtimes: readonly bigint[] }

function isTestable(row: Measurement): row is Testable {
  return row.runtimes !== undefined && row.runtimes.length >= FEWEST_RUNTIMES
}

/** A size is what it is, each time; a time must also be told from chance. */
function verdictOf(pair: Pair, test: Change['test'], threshold: number): Change {
  const ratio = ratioOf(pair.base.value, pair.head.value)
  const change = { ...pair, ratio, test, reason: undefined }
  const timed = pair.head.runtimes !== undefined
  if (ratio === undefined) return { ...change, verdict: 'unjudged', reason: 'no_ratio' }
  if (timed && test === undefined) return { ...change, verdict: 'unjudged', reason: 'few_runtimes' }
  const way = ratio >= threshold ? 1 : ratio <= 1 / threshold ? -1 : 0
  if (way === 0) return { ...change, verdict: 'unchanged' }
  if (!timed) return { ...change, verdict: way > 0 ? 'larger' : 'smaller' }
  // The runs must have gone the way that the median went.
  const isReal = test !== undefined && test.q < MOST_CHANCE && test.direction === way
  return { ...change, verdict: !isReal ? 'unproven' : way > 0 ? 'slower' : 'faster' }
}

export function isRegression({ verdict }: Pick<Change, 'verdict'>): boolean {
  return verdict === 'slower' || verdict === 'larger'
}

/**
 * How many tested series must change together before any can be called real: with few runs the smallest p there is is not
 * small enough for one among many.
 */
export function fewestToBeReal(changes: readonly Change[]): number {
  const tested = changes.filter(({ test }) => test !== undefined)
  const least = tested
    .map(({ base, head }) => leastP(base.runtimes!.length, head.runtimes!.length))
    .sort((a, b) => a - b)
  const found = least.findIndex((p, index) => (p * least.length) / (index + 1) < MOST_CHANCE)
  return found === -1 ? Infinity : found + 1
}
