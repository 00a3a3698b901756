/** How often `compare` raises a false alarm, and how often it finds a change, in simulated histories. */

import { judge as judgePairs } from '../src/analysis/judge.js'
import { MAX_CHANCE } from '../src/analysis/noise-model.js'
import type { Control } from '../src/analysis/noise-rows.js'
import { medianVariance } from '../src/analysis/robust.js'
import { DEFAULT_THRESHOLD, type Pair } from '../src/analysis/series.js'
import { twoSidedP } from '../src/analysis/student.js'
import { Random } from '../test/fixtures/random.js'
import type { Benchmark } from './benchmark.js'
import { fixedThreshold, previousMethod } from './judge/previous-method.js'
import { RUN_NOISE, SERIES, simulate, type Scenario, type Simulated } from './judge/simulation.js'
import type { Result, Verdict } from './report.js'

const SEED = 20_260_425
const COMMON = { job: 0.06, own: 0.005 }
const CONTROLS: readonly Control[] = [{ dimension: 'format', value: 'parquet' }]
const MACHINES = { share: 0.3, slower: 0.15, differ: 0.01 }

/** The scenarios of the issue have targets; the others show where the method ends. */
const SCENARIOS: readonly (Scenario & { readonly hasTarget: boolean })[] = [
  { name: '6 % between jobs', ...COMMON, hasTarget: true },
  { name: '6 % between jobs, 40 controls', ...COMMON, controls: 40, hasTarget: true },
  { name: '6 % and drift', ...COMMON, drift: 0.003, ownDrift: 0.001, hasTarget: true },
  { name: '6 % and outliers', ...COMMON, slowRuns: 0.02, slowJobs: 0.05, hasTarget: true },
  { name: '6 % and two machines', ...COMMON, bimodal: MACHINES, hasTarget: true },
  { name: '6 %, followed unequally', ...COMMON, response: 0.15, hasTarget: false },
  { name: '6 % in each series', job: 0, own: 0.06, hasTarget: false },
  { name: '6 % between jobs, 3 commits', ...COMMON, commits: 3, hasTarget: false },
  { name: '6 % between jobs, no history', ...COMMON, commits: 0, hasTarget: false },
]

/** Number of comparisons for all figures but the false alarms, whose limit of 5 % is nearest. */
const FOUND_RUNS = 100

export const judge: Benchmark = {
  name: 'judge',
  // With 300 comparisons the standard error of 5 % is 1.3 %. With 60 it would be 2.8 %.
  runs: 300,
  run({ runs }): Promise<Result> {
    const verdicts = SCENARIOS.flatMap(scenario => {
      const rates = measureRates(scenario, runs)
      console.error(
        `  ${scenario.name}: ${rates.map(({ what, seen: [model] }) => `${what} ${percent(model)}`).join(', ')}`,
      )
      return rates.map(rate => toVerdict(scenario, rate))
    })
    return Promise.resolve({ notes: notes(runs), series: [], verdicts })
  },
}

function notes(runs: number): readonly string[] {
  return [
    `${SERIES} simulated series of ten runs, 20 commits before BASE unless said otherwise, seed ${SEED}; ${runs} comparisons for the false alarms, ${Math.min(runs, FOUND_RUNS)} for the found changes and for the methods beside it. A run varies by ${RUN_NOISE * 100} %, some series more than others. Each scenario compares the same measurements three times: as they are, where any change that is reported is a false alarm, and with one series that is 10 % or 5 % slower at HEAD.`,
    '“6 % between jobs” means that all series of a job are slower or faster together, with a deviation of 6 %, and each for itself by 0.5 %. “6 % in each series” means that nothing is common: a deviation of 6 % in each series for itself.',
    'Outliers: 2 % of the runs take 1.3 to 3.5 times as long, and 5 % of the jobs are 1.3 times as slow. Two machines: three jobs in ten run on a machine that is 15 % slower, give or take 1 % for each series. Drift: every commit is 0.3 % slower, and each series drifts for itself by 0.1 %. Followed unequally: series differ in how much they follow their job, with a deviation of 15 %.',
    'Beside it the previous method (Mann-Whitney, Benjamini-Hochberg, 1.1), a fixed threshold of 10 %, and the most that any method could find that knew the noise exactly and could remove all that is common.',
  ]
}

type Rate = {
  readonly what: string
  readonly factor: number
  readonly seen: readonly [model: number, previous: number, fixed: number]
}

type Method = (pairs: readonly Pair[], simulated: Simulated) => readonly boolean[]

function measureRates(scenario: Scenario, runs: number): readonly Rate[] {
  const random = new Random(SEED)
  const controls = scenario.controls === undefined ? [] : CONTROLS
  const model: Method = (pairs, { history }) =>
    judgePairs(pairs, { history, controls, threshold: DEFAULT_THRESHOLD }).changes.map(({ verdict }) =>
      ['slower', 'faster'].includes(verdict),
    )
  const methods: readonly Method[] = [model, previousMethod, fixedThreshold]
  const found = [1, 1.1, 1.05].map(factor => ({ factor, counts: methods.map(() => 0) }))
  for (let run = 0; run < runs; run++) {
    const simulated = simulate(scenario, random)
    for (const { factor, counts } of found) {
      const changed = random.int(scenario.controls ?? 0, SERIES - 1)
      const isBeyond = run >= FOUND_RUNS
      if (isBeyond && factor !== 1) continue
      const pairs = simulated.pairs(changed, factor)
      for (const [index, method] of methods.slice(0, isBeyond ? 1 : undefined).entries()) {
        const isFound = method(pairs, simulated)
        if (factor === 1 ? isFound.includes(true) : isFound[changed]) counts[index]!++
      }
    }
  }
  const others = Math.min(runs, FOUND_RUNS)
  return found.map(({ factor, counts: [model = 0, previous = 0, fixed = 0] }) => ({
    what: factor === 1 ? 'false alarms' : `${Math.round((factor - 1) * 100)} % found`,
    ...{ factor, seen: [model / (factor === 1 ? runs : others), previous / others, fixed / others] as const },
  }))
}

const TARGETS: Readonly<Record<string, number>> = { 'false alarms': 0.05, '10 % found': 0.8, '5 % found': 0.4 }

function toVerdict(scenario: Scenario & { hasTarget: boolean }, { what, factor, seen }: Rate): Verdict {
  const [model, previous, fixed] = seen
  const most = factor === 1 ? [] : [`at most ${percent(mostFound(scenario, factor))}`]
  const target = TARGETS[what]!
  const isUpper = factor === 1
  const hasTarget = scenario.hasTarget || isUpper
  return {
    what: `${scenario.name}: ${what}`,
    seen: `${percent(model)} (${[`previous ${percent(previous)}`, `fixed ${percent(fixed)}`, ...most].join(', ')})`,
    mustReach: hasTarget ? `${isUpper ? '≤' : '≥'} ${percent(target)}` : '',
    reached: hasTarget ? (isUpper ? model <= target : model >= target) : undefined,
  }
}

/** How often a test with the same significance finds one change if it knows the level and the noise of the series exactly. */
function mostFound({ own }: Scenario, factor: number): number {
  const deviation = Math.sqrt(own ** 2 + RUN_NOISE ** 2 * medianVariance(10))
  const distance = Math.log(factor) / deviation
  return 1 - upperTail(distance - critical(MAX_CHANCE / SERIES))
}

const LARGE_FREEDOM = 1e6

/** The probability that a normally distributed number with deviation 1 is larger. */
function upperTail(z: number): number {
  const tail = twoSidedP(z, LARGE_FREEDOM) / 2
  return z >= 0 ? tail : 1 - tail
}

/** The distance from 0 that a normally distributed number exceeds with a probability. */
function critical(probability: number): number {
  let z = 0
  while (twoSidedP(z, LARGE_FREEDOM) > probability) z += 0.001
  return z
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`
}
