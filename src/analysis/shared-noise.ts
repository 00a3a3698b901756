/** Estimates the noise that all series of a machine share at a commit, because the machine was slower or faster as a whole. */

import { findSplits, levelsOf } from './change-points.js'

/** The logarithms of the measured values of a series, and the index of the commit of each. */
export type LogSeries = { readonly commits: readonly number[]; readonly values: Float64Array }

/** With fewer series, a change of some of them would pass for shared noise. */
const MIN_SHARING = 8
/** A machine is believed to have changed its speed for good only if that lasted for some commits. */
const LASTING = { limit: 0.001, outlierRate: 0.01 }

/**
 * Estimates the deviation from their levels that all series of one machine share at each commit, as a difference of logarithms. Lasting shifts of the
 * whole machine are not noise, because a commit may have caused them.
 * @param series the distances of the values of one machine to the levels of their series
 * @returns one number for each commit; 0 where too few series were measured
 */
export function sharedNoise(series: readonly LogSeries[], commitCount: number): Float64Array {
  const noise = new Float64Array(commitCount)
  const byCommit = gatherByCommit(series, commitCount)
  const measured = [...byCommit.keys()].filter(commit => byCommit[commit]!.length >= MIN_SHARING)
  if (measured.length === 0) return noise
  for (const commit of measured) noise[commit] = centre(byCommit[commit]!)
  const path = Float64Array.from(measured, commit => noise[commit]!)
  const lasting = levelsOf(path, findSplits(path, LASTING))
  for (const [index, commit] of measured.entries()) noise[commit]! -= lasting[index]!
  return noise
}

function gatherByCommit(series: readonly LogSeries[], commitCount: number): readonly (readonly number[])[] {
  const byCommit = Array.from({ length: commitCount }, (): number[] => [])
  for (const { commits, values } of series)
    for (const [index, commit] of commits.entries()) byCommit[commit]!.push(values[index]!)
  return byCommit
}

/** Half of normally distributed values lie within this many standard deviations. */
const HALF = 0.6745
const NEAR_DEVIATIONS = 2.5

/** The mean of the values near the shortest interval with half of them. A median would follow a change of many series in one direction. */
function centre(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const half = (sorted.length >> 1) + 1
  let from = 0
  for (let start = 1; start + half <= sorted.length; start++)
    if (sorted[start + half - 1]! - sorted[start]! < sorted[from + half - 1]! - sorted[from]!) from = start
  const [low, high] = [sorted[from]!, sorted[from + half - 1]!]
  const reach = ((high - low) / 2 / HALF) * NEAR_DEVIATIONS
  const near = sorted.filter(value => Math.abs(value - (low + high) / 2) <= reach)
  return near.reduce((sum, value) => sum + value, 0) / near.length
}
