/** Simulates the measurements of a history of commits that change nothing. All deviations are of logarithms: 0.06 means 6 %. */

import type { NoiseHistory } from '../../src/analysis/noise-rows.js'
import type { Measurement, Pair } from '../../src/analysis/series.js'
import { CONTRACT } from '../../src/contract/kinds.js'
import type { Random } from '../../test/fixtures/random.js'

export type Scenario = {
  readonly name: string
  /** Deviation that all series of a job have in common. */
  readonly job: number
  /** Deviation that each series of each job has for itself. */
  readonly own: number
  /** Deviation by which series differ in how much they follow the job; 0 means all follow alike. */
  readonly response?: number
  /** How much slower every commit makes all series. */
  readonly drift?: number
  /** Deviation of the steps by which each series drifts for itself. */
  readonly ownDrift?: number
  /** Share of the jobs that run on a slower machine, how much slower, and by how much series differ in that. */
  readonly bimodal?: { readonly share: number; readonly slower: number; readonly differ: number }
  /** Share of runs that take 1.3 to 3.5 times as long. */
  readonly slowRuns?: number
  /** Share of jobs that are 1.3 times as slow. */
  readonly slowJobs?: number
  /** Number of commits before BASE. Default: 20. */
  readonly commits?: number
  /** Number of series that are controls. Default: 0. */
  readonly controls?: number
}

export const SERIES = 400
const RUNS = 10
/** Typical deviation of one run, and the deviation of its logarithm among series. */
export const RUN_NOISE = 0.02
const RUN_NOISE_DIFFERS = 0.3
const KIND = CONTRACT.kinds.find(({ kind }) => kind === 'random_access_time')!

export type Simulated = {
  readonly history: readonly NoiseHistory[]
  /** BASE and HEAD. @param index the series whose HEAD is `factor` times as slow */
  readonly pairs: (index?: number, factor?: number) => readonly Pair[]
}

/** A normally distributed number with mean 0 and deviation 1 (Box-Muller). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
}

type SimulatedSeries = {
  readonly level: number
  readonly noise: number
  readonly response: number
  readonly slower: number
  drifted: number
}

export function simulate(scenario: Scenario, random: Random): Simulated {
  const { commits = 20, bimodal, response = 0 } = scenario
  const series = Array.from({ length: SERIES }, () => ({
    level: Math.log(1e6) + normal(random),
    noise: RUN_NOISE * Math.exp(RUN_NOISE_DIFFERS * normal(random)),
    response: 1 + response * normal(random),
    slower: bimodal === undefined ? 0 : bimodal.slower + bimodal.differ * normal(random),
    drifted: 0,
  }))
  const jobs = Array.from({ length: commits + 2 }, (_, commit) => simulateJob(series, { scenario, random, commit }))
  const history = series.map((_, index) => ({
    kind: KIND,
    dimensions: dimensionsOf(index, scenario),
    values: Float64Array.from(jobs.slice(0, commits), job => middle(job[index]!)),
    platforms: new Array<null>(commits).fill(null),
  }))
  const [base = [], head = []] = jobs.slice(commits)
  const pairs: Simulated['pairs'] = (changed, factor = 1) =>
    history.map(({ dimensions }, index) => ({
      kind: KIND,
      base: toMeasurement(dimensions, base[index]!),
      head: toMeasurement(dimensions, index === changed ? head[index]!.map(run => run * factor) : head[index]!),
    }))
  return { history, pairs }
}

type Job = { readonly scenario: Scenario; readonly random: Random; readonly commit: number }

/** The runs of every series in one job. */
function simulateJob(
  series: readonly SimulatedSeries[],
  { scenario, random, commit }: Job,
): readonly (readonly number[])[] {
  const { job, own, drift = 0, ownDrift = 0, bimodal, slowRuns = 0, slowJobs = 0 } = scenario
  const effect = job * normal(random) + (random.chance(slowJobs) ? Math.log(1.3) : 0)
  const isSlower = bimodal !== undefined && random.chance(bimodal.share)
  return series.map(one => {
    one.drifted += ownDrift * normal(random)
    const middle = one.level + drift * commit + one.drifted + effect * one.response + own * normal(random)
    return Array.from({ length: RUNS }, () => {
      const slow = random.chance(slowRuns) ? Math.log(1.3) + random.next() : 0
      return Math.exp(middle + (isSlower ? one.slower : 0) + one.noise * normal(random) + slow)
    })
  })
}

function dimensionsOf(index: number, { controls = 0 }: Scenario): readonly string[] {
  return ['simulated', index < controls ? 'parquet' : 'vortex', String(index)]
}

function middle(runs: readonly number[]): number {
  const sorted = runs.toSorted((a, b) => a - b)
  return (sorted[RUNS / 2 - 1]! + sorted[RUNS / 2]!) / 2
}

function toMeasurement(dimensions: Measurement['dimensions'], runs: readonly number[]): Measurement {
  const whole = (value: number): bigint => BigInt(Math.round(value))
  return { dimensions, value: whole(middle(runs)), runtimes: runs.map(whole), platform: null, uncompressed: undefined }
}
