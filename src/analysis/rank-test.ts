/** The Mann-Whitney rank test, which tests whether the values of two samples are equally large. */

import { midRanks, type Ranked } from './mid-ranks.js'
import { upperTail } from './normal.js'
import { RankDistributions } from './rank-distribution.js'

export type RankTest = {
  /** The two-sided p-value. */
  readonly p: number
  /** 1 when the second sample has the larger values, -1 when it has the smaller ones. */
  readonly direction: -1 | 0 | 1
  readonly method: 'exact' | 'normal'
}

/** Up to this total number of values, the exact distribution is computed, with ties too. */
export const MOST_EXACT = 24

/** Creates a test function, which caches the distributions it has computed. */
export function rankTester(): (first: readonly bigint[], second: readonly bigint[]) => RankTest {
  const distributions = new RankDistributions()
  return (first, second) => {
    const ranked = midRanks(first, second)
    const sizes = [first.length, second.length] as const
    const expected = second.length * (ranked.doubled.length + 1)
    const direction = Math.sign(ranked.doubledSum - expected) as RankTest['direction']
    if (ranked.doubled.length > MOST_EXACT) return { p: normalP(ranked, sizes), direction, method: 'normal' }
    const { atMost, atLeast } = distributions.tails(ranked.doubled, second.length, ranked.doubledSum)
    return { p: Math.min(1, 2 * Math.min(atMost, atLeast)), direction, method: 'exact' }
  }
}

/** The p-value by normal approximation, with tie and continuity corrections. */
function normalP({ doubled, doubledSum, ties }: Ranked, [first, second]: readonly [number, number]): number {
  const all = doubled.length
  const tied = ties.reduce((sum, tie) => sum + tie ** 3 - tie, 0)
  const variance = ((first * second) / 12) * (all + 1 - tied / (all * (all - 1)))
  if (variance <= 0) return 1
  const away = Math.abs(doubledSum - second * (all + 1)) / 2
  return Math.min(1, 2 * upperTail(Math.max(0, away - 0.5) / Math.sqrt(variance)))
}

/** The smallest p-value possible for samples of these sizes, when all values of one are below those of the other. */
export function leastP(first: number, second: number): number {
  let choices = 1
  for (let step = 1; step <= second; step++) choices = (choices * (first + step)) / step
  return Math.min(1, 2 / choices)
}
