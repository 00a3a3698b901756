/** Finds the change points of many series that were measured together, without the noise that they share. */

import { clipOutliers, findSplits, levelsOf, type Split, type SplitOptions } from './change-points.js'
import { exactSplits } from './exact-steps.js'
import { falseDiscoveryRates } from './judge.js'
import { sharedNoise, type LogSeries } from './shared-noise.js'

export type AnalysedSeries = {
  /** One value for each commit, oldest first; NaN where the series was not measured. Values that are not positive are ignored. */
  readonly values: Float64Array
  /** Series with the same machine share its noise. Undefined for exact values, such as sizes. */
  readonly machine: string | undefined
}

export type ChangePoint = {
  /** Index of the series. */
  readonly series: number
  /** Index of the first commit that was measured with the new level. */
  readonly commit: number
  /** Index of the last commit that was measured with the old level. The commits between the two were not measured. */
  readonly before: number
  /** Noise leaves open at which of the commits from `earliest` to `latest` the level changed; `commit` is the likeliest. */
  readonly earliest: number
  readonly latest: number
  /** Geometric means of the values between the neighbouring change points, without the shared noise. */
  readonly oldLevel: number
  readonly newLevel: number
  /** The two-sided p-value, corrected for the number of commits. */
  readonly p: number
  /** The p-value, corrected for the number of series too (Benjamini-Hochberg). */
  readonly q: number
}

/** The largest expected share of false change points among those that are found. */
export const MAX_FALSE = 0.01
/** Shared noise is estimated from the levels, and the levels from values without shared noise. Two rounds are enough. */
const ROUNDS = 2
const ASSUMED_OUTLIER_RATE = 0.01

/**
 * Finds the change points of all series, in the order of series and commits. The result depends on nothing but the arguments.
 * @param threshold the smallest ratio that counts as a change; at least 1
 */
export function findChangePoints(all: readonly AnalysedSeries[], threshold: number): readonly ChangePoint[] {
  const logs = all.map(toLogs)
  const clean = withoutSharedNoise(all, logs)
  const outlierRate = measureOutlierRate(clean)
  const candidates = clean.map((values, series) => splitSeries(values, all[series]!, { limit: MAX_FALSE, outlierRate }))
  const limit = significantP(candidates, all.length)
  const found = candidates.map((splits, series) =>
    splits.every(({ p }) => p <= limit) ? splits : splitSeries(clean[series]!, all[series]!, { limit, outlierRate }),
  )
  const points = found.flatMap((splits, series) => toChangePoints(series, logs[series]!, clean[series]!, splits))
  // Series without a change point count as tests with p = 1.
  const qs = falseDiscoveryRates([...points.map(({ p }) => p), ...all.slice(points.length).map(() => 1)])
  return points
    .map((point, index) => ({ ...point, q: qs[index]! }))
    .filter(({ oldLevel, newLevel }) => Math.max(newLevel / oldLevel, oldLevel / newLevel) >= threshold)
}

function splitSeries(values: Float64Array, { machine }: AnalysedSeries, options: SplitOptions): readonly Split[] {
  return (machine === undefined ? exactSplits(values) : undefined) ?? findSplits(values, options)
}

function toLogs({ values }: AnalysedSeries): LogSeries {
  const commits = Array.from(values.keys()).filter(commit => values[commit]! > 0)
  return { commits, values: Float64Array.from(commits, commit => Math.log(values[commit]!)) }
}

/** The logarithms of all series without the noise of their machines. */
function withoutSharedNoise(all: readonly AnalysedSeries[], logs: readonly LogSeries[]): readonly Float64Array[] {
  const clean = logs.map(({ values }) => values)
  for (const machine of new Set(all.flatMap(series => series.machine ?? []))) {
    const members = [...all.keys()].filter(series => all[series]!.machine === machine)
    for (let round = 0; round < ROUNDS; round++) {
      const flat = members.map(series => ({ ...logs[series]!, values: aroundLevels(logs[series]!, clean[series]!) }))
      const noise = sharedNoise(flat, all[0]!.values.length)
      for (const series of members) {
        const { commits, values } = logs[series]!
        clean[series] = values.map((value, index) => value - noise[commits[index]!]!)
      }
    }
  }
  return clean
}

/** The distances of the values of a series to its levels, as far as these are known. */
function aroundLevels({ values }: LogSeries, clean: Float64Array): Float64Array {
  const splits = findSplits(clean, { limit: MAX_FALSE, outlierRate: ASSUMED_OUTLIER_RATE })
  const levels = levelsOf(clean, splits)
  return values.map((value, index) => value - levels[index]!)
}

/** The first and the last value of a series are not counted, because less is known about them. */
function measureOutlierRate(all: readonly Float64Array[]): number {
  let [outliers, values] = [1, 1]
  for (const series of all) {
    const clipped = clipOutliers(series).subarray(1, -1)
    values += series.length
    outliers += clipped.filter((value, index) => value !== series[index + 1]).length
  }
  return outliers / values
}

/** The largest p-value at which the expected share of false change points among all candidates stays within the limit. */
function significantP(candidates: readonly (readonly Split[])[], seriesCount: number): number {
  const ps = candidates.flatMap(splits => splits.map(({ p }) => p)).sort((a, b) => a - b)
  const last = ps.findLastIndex((p, index) => (p * seriesCount) / (index + 1) <= MAX_FALSE)
  return last === -1 ? 0 : ps[last]!
}

function toChangePoints(
  series: number,
  { commits }: LogSeries,
  clean: Float64Array,
  splits: readonly Split[],
): readonly Omit<ChangePoint, 'q'>[] {
  const levels = levelsOf(clean, splits)
  return splits.map(({ index, earliest, latest, p }) => ({
    ...{ series, commit: commits[index]!, before: commits[index - 1]! },
    ...{ earliest: commits[earliest]!, latest: commits[latest]!, p },
    ...{ oldLevel: Math.exp(levels[index - 1]!), newLevel: Math.exp(levels[index]!) },
  }))
}
