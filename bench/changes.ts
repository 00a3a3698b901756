/** Change points in 500 series of 1,000 commits, and the time that Apache Otava takes for the same series. */

import { findChangePoints, type AnalysedSeries } from '../src/analysis/history-changes.js'
import { generateHistory } from '../test/analysis/fixtures/benchmark-history.js'
import { runOtava } from '../test/analysis/fixtures/otava.js'
import { Random } from '../test/fixtures/random.js'
import type { Benchmark } from './benchmark.js'
import { spread, wallTimes, type Sample } from './measure.js'
import { atMost, seconds } from './report.js'

const SERIES = 500
const COMMITS = 1_000
const CHANGES = 2_500
const LIMIT_MS = 10_000
const THRESHOLD = 1.02
const SEED = 18

export const changes: Benchmark = {
  name: 'changes',
  runs: 5,
  async run({ runs }) {
    const history = changingHistory()
    const samples = Array.from({ length: runs }, () => timed(() => findChangePoints(history, THRESHOLD)))
    const otava = timeOtava(history)
    const amount = { count: SERIES * COMMITS, unit: 'values' }
    return {
      notes: [
        `\`findChangePoints\` (src/analysis/history-changes.ts) over ${SERIES} series of ${COMMITS} commits with ${CHANGES} changes, on one thread in the process of the benchmark.`,
        otava === undefined
          ? 'Apache Otava is not measured: it needs a python3 with the package apache-otava (PYTHON names another program).'
          : `Apache Otava ${otava.version} analyses the same series in ${seconds(otava.seconds * 1000)} of processor time, without starting Python.`,
      ],
      series: [{ name: 'change points', samples, amount }],
      verdicts: [
        atMost('500 series of 1,000 commits', spread(wallTimes(samples)), LIMIT_MS, seconds),
        atMost('its processor time', spread(samples.map(({ cpuMs = 0 }) => cpuMs)), LIMIT_MS, seconds),
      ],
    }
  },
}

function changingHistory(): readonly AnalysedSeries[] {
  const random = new Random(SEED)
  const planted = Array.from({ length: CHANGES }, () => ({
    series: random.int(0, SERIES - 1),
    commit: random.int(0, COMMITS - 1),
    factor: random.pick([0.8, 0.9, 0.95, 1.05, 1.1, 1.25]),
  }))
  return generateHistory({ series: SERIES, commits: COMMITS, jobNoise: 0.03, ownNoise: 0.02, planted }, SEED)
}

function timed(work: () => void): Sample {
  const [started, cpu] = [performance.now(), process.cpuUsage()]
  work()
  const { user, system } = process.cpuUsage(cpu)
  return { wallMs: performance.now() - started, cpuMs: (user + system) / 1000 }
}

/** @returns undefined where Otava is not installed */
function timeOtava(history: readonly AnalysedSeries[]): { version: string; seconds: number } | undefined {
  try {
    return runOtava(history.map(({ values }) => [...values]))
  } catch {
    return undefined
  }
}
