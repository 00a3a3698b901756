/** The Mann-Whitney rank test: do two samples come from where one is as large as the other? */

import { midRanks, type Ranked } from './mid-ranks.js'
import { upperTail } from './normal.js'
import { RankDistributions } from './rank-distribution.js'

export type RankTest = {
  /** Two-sided. */
  readonly p: number
  /** 1 when the second sample's values are the larger ones, -1 when they are the smaller ones. */
  readonly direction: -1 | 0 | 1
  readonly method: 'exact' | 'normal'
}

/** Up to so many values in both samples every way to share the ranks out is counted, ties or not. */
export const MOST_EXACT = 24

/** @returns a test that remembers what it has counted */
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

/** With the correction for ties, and half a step for a sum that only takes steps. */
function normalP({ doubled, doubledSum, ties }: Ranked, [first, second]: readonly [number, number]): number {
  const all = doubled.length
  const tied = ties.reduce((sum, tie) => sum + tie ** 3 - tie, 0)
  const variance = ((first * second) / 12) * (all + 1 - tied / (all * (all - 1)))
  if (variance <= 0) return 1
  const away = Math.abs(doubledSum - second * (all + 1)) / 2
  return Math.min(1, 2 * upperTail(Math.max(0, away - 0.5) / Math.sqrt(variance)))
}

/** The smallest p that samples of these sizes can give: no value of one below a value of the other. */
export function leastP(first: number, second: number): number {
  let choices = 1
  for (let step = 1; step <= second; step++) choices = (choices * (first + step)) / step
  return Math.min(1, 2 / choices)
}
