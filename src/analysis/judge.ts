/** Judges how each series changed between two commits and whether the change is significant. */

import { MAX_CHANCE, testAgainstNoise, type NoiseResult, type NoiseTest } from './noise-model.js'
import type { NoiseOptions } from './noise-rows.js'
import { MIN_RUNTIMES, type Pair } from './series.js'

const JUDGED_RATIO = 1.1

/** A series is judged when a change of this ratio would be found. */
export function judgedRatio(threshold: number): number {
  return Math.max(JUDGED_RATIO, threshold)
}

/** `unproven`: a change that would matter, but may be chance. `unjudged`: such a change could have been missed. */
export type SeriesVerdict = 'slower' | 'faster' | 'larger' | 'smaller' | 'unproven' | 'unjudged' | 'unchanged'

/** Why a series is `unjudged` or `unproven`. */
export type UnjudgedReason = 'few_runtimes' | 'no_ratio' | 'no_history' | 'noise' | 'other_machine'

export type SeriesChange = Pair & {
  /** The head value divided by the base value; undefined when there is no meaningful ratio. */
  readonly ratio: number | undefined
  /** The test against noise, with the q-value; undefined for sizes and for series that cannot be tested. */
  readonly test: (NoiseTest & { readonly q: number }) | undefined
  readonly verdict: SeriesVerdict
  readonly reason: UnjudgedReason | undefined
}

export type JudgeOptions = NoiseOptions & {
  /** A ratio of at least this, or of at most its inverse, counts as a change; must exceed 1. */
  readonly threshold: number
}

export type Judgement = Omit<NoiseResult, 'tests'> & { readonly changes: readonly SeriesChange[] }

export function judge(pairs: readonly Pair[], options: JudgeOptions): Judgement {
  const { tests, ...noise } = testAgainstNoise(pairs, options)
  const qs = falseDiscoveryRates(tests.flatMap(test => test?.p ?? [])).values()
  const changes = pairs.map((pair, index) => {
    const test = tests[index]
    return judgePair(pair, test && { ...test, q: qs.next().value ?? 1 }, options.threshold)
  })
  return { ...noise, changes }
}

/** Sizes are exact, so any difference beyond the threshold counts. Durations must also be significant. */
function judgePair(pair: Pair, test: SeriesChange['test'], threshold: number): SeriesChange {
  const ratio = valueRatio(pair.base.value, pair.head.value)
  const change = { ...pair, ratio, test, reason: undefined }
  if (ratio === undefined) return { ...change, verdict: 'unjudged', reason: 'no_ratio' }
  if (pair.head.runtimes === undefined) {
    const way = direction(ratio, threshold)
    return { ...change, verdict: way === 0 ? 'unchanged' : way > 0 ? 'larger' : 'smaller' }
  }
  if (test === undefined) return { ...change, ...untested(pair) }
  const way = direction(test.ratio, threshold)
  if (way !== 0 && test.q < MAX_CHANCE) return { ...change, verdict: way > 0 ? 'slower' : 'faster' }
  const judged = judgedRatio(threshold)
  if (test.isNoiseKnown && test.detectable <= judged) return { ...change, verdict: 'unchanged' }
  const reason = test.isNoiseKnown ? 'noise' : 'no_history'
  return { ...change, verdict: direction(test.ratio, judged) === 0 ? 'unjudged' : 'unproven', reason }
}

function untested(pair: Pair): Pick<SeriesChange, 'verdict' | 'reason'> & { readonly ratio?: undefined } {
  // Equal values have the ratio 1, but durations that are not above zero have no logarithm to test.
  if (pair.base.value <= 0n) return { verdict: 'unjudged', reason: 'no_ratio', ratio: undefined }
  const hasRuns = [pair.base, pair.head].every(({ runtimes = [] }) => countPositive(runtimes) >= MIN_RUNTIMES)
  return { verdict: 'unjudged', reason: hasRuns ? 'other_machine' : 'few_runtimes' }
}

function countPositive(values: readonly bigint[]): number {
  return values.filter(value => value > 0n).length
}

function direction(ratio: number, threshold: number): -1 | 0 | 1 {
  return ratio >= threshold ? 1 : ratio <= 1 / threshold ? -1 : 0
}

export function isRegression({ verdict }: Pick<SeriesChange, 'verdict'>): boolean {
  return verdict === 'slower' || verdict === 'larger'
}

function isJudged({ verdict }: Pick<SeriesChange, 'verdict'>): boolean {
  return verdict !== 'unjudged' && verdict !== 'unproven'
}

/** `inconclusive`: most series could not be judged, so a change could have been missed. */
export type OverallVerdict = 'changed' | 'no change' | 'inconclusive'

/** A proven regression counts even when most series could not be judged. Otherwise, most times and most sizes must be judged. */
export function overallVerdict(changes: readonly SeriesChange[]): OverallVerdict {
  if (changes.some(isRegression)) return 'changed'
  const times = changes.filter(({ head }) => head.runtimes !== undefined)
  const sizes = changes.filter(({ head }) => head.runtimes === undefined)
  const isOpen = [times, sizes].some(part => part.filter(isJudged).length * 2 < part.length)
  if (changes.length === 0 || isOpen) return 'inconclusive'
  return changes.some(({ verdict }) => verdict === 'faster' || verdict === 'smaller') ? 'changed' : 'no change'
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
