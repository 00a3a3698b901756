/** The method by which `compare` judged before it knew the noise between jobs: a rank test, corrected, and a ratio of 1.1. */

import { falseDiscoveryRates, valueRatio } from '../../src/analysis/judge.js'
import type { Pair } from '../../src/analysis/series.js'
import { rankTester } from './rank-test.js'

const MAX_CHANCE = 0.05
const THRESHOLD = 1.1

/** Whether each series has changed. */
export function previousMethod(pairs: readonly Pair[]): readonly boolean[] {
  const test = rankTester()
  const tests = pairs.map(({ base, head }) => test(base.runtimes ?? [], head.runtimes ?? []))
  const qs = falseDiscoveryRates(tests.map(({ p }) => p))
  return pairs.map((pair, index) => {
    const way = Math.sign(Math.log(ratioOf(pair)))
    return isBeyond(pair, THRESHOLD) && qs[index]! < MAX_CHANCE && tests[index]!.direction === way
  })
}

/** Whether each series differs by a fixed ratio, as many checks in CI judge. */
export function fixedThreshold(pairs: readonly Pair[]): readonly boolean[] {
  return pairs.map(pair => isBeyond(pair, THRESHOLD))
}

function isBeyond(pair: Pair, threshold: number): boolean {
  return Math.abs(Math.log(ratioOf(pair))) >= Math.log(threshold)
}

function ratioOf({ base, head }: Pair): number {
  return valueRatio(base.value, head.value) ?? 1
}
