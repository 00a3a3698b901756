/**
 * Tests how much each series changed between two commits, against the noise within runs and between jobs. docs/compare.md states
 * the model and its assumptions.
 */

import { ASSUMED_JOB_NOISE, estimateJobEffects, MIN_IN_COMMON } from './job-effect.js'
import { groupRows, type NoiseOptions, type NoiseRow, type NoiseRows } from './noise-rows.js'
import { fitNull, type Backtest } from './null-distribution.js'
import { median, medianVariance, robustDeviation } from './robust.js'
import type { Pair } from './series.js'
import { neighbourDifferences } from './series-noise.js'
import { testSeries, type SeriesInput, type SeriesTest } from './series-test.js'

export type NoiseTest = {
  /** HEAD divided by the level of the series, without the effect of the job. */
  readonly ratio: number
  /** The two-sided p-value of that change. */
  readonly p: number
  /** The smallest ratio above 1 that would be found if no other series changed. */
  readonly detectable: number
  /** Whether the noise between jobs is known, from a history or from controls. */
  readonly isNoiseKnown: boolean
}

/** All series that one machine measured at HEAD. */
export type JobGroup = {
  /** Target triple at HEAD; null when it is unknown. */
  readonly platform: string | null
  readonly series: number
  readonly controls: number
  /** Common change of the job, as a ratio; 1 when none was estimated. */
  readonly shift: number
  /** Whether the common change was removed from the values. */
  readonly isRemoved: boolean
}

export type NoiseResult = {
  /** One for each pair, in the same order. Undefined when a series cannot be tested. */
  readonly tests: readonly (NoiseTest | undefined)[]
  readonly groups: readonly JobGroup[]
  /** Number of commits before BASE at which at least one series was measured. */
  readonly commits: number
}

/** Significance level: a change with a q-value below this is significant. */
export const MAX_CHANCE = 0.02
/** Smaller standard deviations are not believed, because rounded values can be equal by chance. */
const MIN_DEVIATION = 1e-3
const MIN_CONTROLS = 5

export function testAgainstNoise(pairs: readonly Pair[], options: NoiseOptions): NoiseResult {
  const commits = options.history[0]?.values.length ?? 0
  const groups = groupRows(pairs, options).map(group => modelGroup(group, commits + 2))
  const tested = groups.flatMap(group => group.tested)
  const unchanged = fitNull(groups.flatMap(group => group.backtests))
  const tests = new Array<NoiseTest | undefined>(pairs.length)
  const critical = unchanged.critical(MAX_CHANCE / Math.max(1, tested.length))
  for (const { row, test, isNoiseKnown } of tested)
    tests[row.index] = {
      ratio: Math.exp(test.shift),
      p: test.isClear ? unchanged.p(test.z) : 1,
      detectable: Math.exp(Math.max(critical * test.deviation, test.reach)),
      isNoiseKnown,
    }
  return { tests, groups: groups.map(({ summary }) => summary), commits }
}

type Group = {
  readonly tested: readonly { readonly row: NoiseRow; readonly test: SeriesTest; readonly isNoiseKnown: boolean }[]
  readonly backtests: readonly Backtest[]
  readonly summary: JobGroup
}

function modelGroup({ rows, controls }: NoiseRows, columns: number): Group {
  const sources = controls.length > 0 ? controls : rows
  const job = estimateJobEffects(
    sources.map(({ values }) => values),
    { columns, areControls: controls.length > 0 },
  )
  const cleaned = rows.map(row => ({
    ...row,
    values: row.values.map((value, column) => value - job.effects[column]!).filter(value => !Number.isNaN(value)),
  }))
  const shared = sharedVariance(cleaned, controls.length > 0)
  const estimated = job.limit > 0 ? shared.total * medianVariance(sources.length) : 0
  const tests = cleaned.map(row => testSeries(inputOf(row, shared, job.variance + estimated)))
  const backtests = tests.flatMap(test => test.backtests)
  const isNoiseKnown = backtests.length > 0 || controls.length >= MIN_CONTROLS
  return {
    tested: tests.map(({ test }, index) => ({ row: rows[index]!, test, isNoiseKnown })),
    backtests,
    summary: {
      platform: rows[0]?.pair.head.platform ?? null,
      series: rows.length,
      controls: controls.length,
      shift: Math.exp(job.shift),
      isRemoved: job.limit > 0 && job.variance === 0,
    },
  }
}

function inputOf({ pair, values, within }: NoiseRow, shared: Shared, jobVariance: number): SeriesInput {
  const known = within.filter(variance => variance !== undefined)
  const usual = known.length === 0 ? shared.within : known.reduce((sum, variance) => sum + variance, 0) / known.length
  const least = Math.max(MIN_DEVIATION, 0.3 / Number(pair.base.value))
  const expected = Math.sqrt(Math.max(shared.between + usual, least ** 2))
  return { values, expected, headVariance: within[1] ?? 0, jobVariance }
}

/** Variances of one value that are typical of the series of a machine. */
type Shared = { readonly between: number; readonly within: number; readonly total: number }

/** Noise that is assumed counts as this many differences, which matters only while nearly nothing is known. */
const ASSUMED_WEIGHT = 2

function sharedVariance(rows: readonly NoiseRow[], hasControls: boolean): Shared {
  const within = median(rows.flatMap(row => row.within.filter(variance => variance !== undefined))) || 0
  const past = rows.flatMap(({ values }) => [...neighbourDifferences(values.subarray(0, -1))])
  // Without a history only the changes from BASE to HEAD show how much series differ.
  const sources = hasControls ? rows.filter(row => row.isControl) : rows
  const last = sources.flatMap(({ values }) => [...neighbourDifferences(values.subarray(-2))])
  const known = past.length > 0 ? past : last.length >= MIN_IN_COMMON ? last : []
  const seen = known.length === 0 ? 0 : Math.max(0, robustDeviation(known) ** 2 - within)
  const between = (ASSUMED_WEIGHT * ASSUMED_JOB_NOISE ** 2 + known.length * seen) / (ASSUMED_WEIGHT + known.length)
  return { between, within, total: between + within }
}
