import t from 'tap'
import { compareCommits, type Comparison } from '../../src/analysis/comparison.js'
import { isRegression } from '../../src/analysis/judge.js'
import type { Control, NoiseOptions } from '../../src/analysis/noise-rows.js'
import type { Measurement } from '../../src/analysis/series.js'
import { CONTRACT, type Kind } from '../../src/contract/kinds.js'
import { Random } from '../fixtures/random.js'

const kindOf = (name: string): Kind => CONTRACT.kinds.find(({ kind }) => kind === name)!
const ACCESS = kindOf('random_access_time')
const SIZE = kindOf('compression_size')

/** Runs of about some length: n of them, a nanosecond apart. */
const runs = (about: number, n = 10): bigint[] => Array.from({ length: n }, (_, index) => BigInt(about + index))

function access(format: string, value: number, runtimes = runs(value), platform: string | null = null): Measurement {
  return { dimensions: ['taxi', format, 'cached'], value: BigInt(value), runtimes, platform, uncompressed: undefined }
}

function size(dataset: string, value: bigint): Measurement {
  return { dimensions: [dataset, null, 'vortex'], value, runtimes: undefined, platform: null, uncompressed: undefined }
}

const NO_NOISE: NoiseOptions = { history: [], controls: [] }

function compare(
  kind: Kind,
  base: readonly Measurement[],
  head: readonly Measurement[],
  noise: Partial<NoiseOptions & { threshold: number }> = {},
): Comparison {
  return compareCommits([{ kind, rows: { base, head } }], { ...NO_NOISE, threshold: 1.1, ...noise })
}

const verdicts = ({ changes }: Comparison): unknown[] =>
  changes.map(({ head, verdict }) => [head.dimensions[1], verdict])

const NAMES = Array.from({ length: 40 }, (_, index) => `format-${index}`)

/**
 * A history of 20 commits, BASE and HEAD, in which each series has about 1 % of noise.
 * @param factors what HEAD's values are multiplied by, for each series
 * @param jobs what all values of a commit are multiplied by, the last two for BASE and HEAD
 */
function measured(
  factors: readonly number[],
  {
    jobs = [],
    threshold = 1.03,
    controls = [],
    seed = 7,
  }: { jobs?: readonly number[]; threshold?: number; controls?: Control[]; seed?: number } = {},
): Comparison {
  const random = new Random(seed)
  const values = factors.map(factor =>
    Array.from({ length: 22 }, (_, commit) => {
      const noise = 1 + 0.01 * (random.next() + random.next() + random.next() - 1.5) * 2
      return 1e6 * noise * (jobs[commit] ?? 1) * (commit === 21 ? factor : 1)
    }),
  )
  const row = (series: number, commit: number): Measurement =>
    access(NAMES[series]!, Math.round(values[series]![commit]!))
  const history = values.map((all, series) => ({
    ...{ kind: ACCESS, dimensions: row(series, 0).dimensions },
    ...{ values: Float64Array.from(all.slice(0, 20)), platforms: all.slice(0, 20).map(() => null) },
  }))
  const places = [...factors.keys()]
  const [base, head] = [places.map(series => row(series, 20)), places.map(series => row(series, 21))]
  return compare(ACCESS, base, head, { history, controls, threshold })
}

const same = (count: number): number[] => new Array<number>(count).fill(1)
/** Jobs that differ by some 6 %. */
const JOBS = [
  1.06, 0.95, 1, 1.08, 0.93, 1.02, 0.97, 1.05, 1, 0.94, 1.07, 0.98, 1.01, 0.92, 1.04, 1.06, 0.96, 1, 1.03, 0.95, 0.94,
  1.07,
]

t.test('identical code raises an alarm in few comparisons, of whatever size', async t => {
  const random = new Random(1)
  const jobs = (): number[] => Array.from({ length: 22 }, () => 1 + 0.2 * (random.next() - 0.5))
  const alarms = Array.from({ length: 60 }, (_, seed) => measured(same(40), { jobs: jobs(), seed, threshold: 1.001 }))
  const raised = alarms.filter(({ verdict }) => verdict === 'changed').length
  t.ok(raised <= 3, `${raised} of 60 comparisons`)
})

t.test('a value that the series had before is no change, however far it is from its level', async t => {
  const values = Array.from({ length: 21 }, (_, commit) => (commit === 9 ? 1300 : 1000 + (commit % 3)))
  const history = [
    { kind: ACCESS, dimensions: ['taxi', 'a', 'cached'], values: Float64Array.from(values.slice(0, 20)) },
  ]
  const platforms = values.slice(0, 20).map(() => null)
  const noise = { history: history.map(series => ({ ...series, platforms })) }
  const judged = (head: number): unknown[] => verdicts(compare(ACCESS, [access('a', 1001)], [access('a', head)], noise))
  t.strictSame(judged(1299), [['a', 'unproven']])
  t.strictSame(judged(1001), [['a', 'unjudged']])
  t.strictSame(judged(9000), [['a', 'slower']])
})

t.test('a change of 5 % in one of 40 series is found, and nothing else, though jobs differ by 6 %', async t => {
  const found = measured([...same(39), 1.06], { jobs: JOBS })
  t.strictSame(verdicts(found).slice(0, 1), [['format-39', 'slower']])
  t.equal(found.changes.filter(({ verdict }) => verdict === 'unchanged').length, 39)
  t.equal(found.verdict, 'changed')
  t.match(found.groups, [{ series: 40, controls: 0, isRemoved: true }])
  t.equal(measured(same(40), { jobs: JOBS }).verdict, 'no change')
})

t.test(
  'a change of all series that no job of the history shows is not removed, unless controls show it too',
  async t => {
    const all = measured(
      same(40).map(() => 1.4),
      { jobs: JOBS },
    )
    t.equal(all.changes.filter(isRegression).length, 40)
    t.match(all.groups, [{ isRemoved: false }])
    const controls = [
      { dimension: 'format', value: 'format-0' },
      { dimension: 'format', value: 'format-1' },
    ]
    const controlled = measured(
      same(40).map(() => 1.4),
      { jobs: JOBS, controls },
    )
    t.match([controlled.verdict, controlled.groups], ['no change', [{ controls: 2, isRemoved: true }]])
  },
)

t.test(
  'a change that all series but the controls have is found with controls, however usual it is for jobs',
  async t => {
    const factors = [...same(8), ...new Array<number>(32).fill(1.08)]
    const controls = Array.from({ length: 8 }, (_, index) => ({ dimension: 'format', value: `format-${index}` }))
    t.ok(measured(factors, { jobs: JOBS, controls }).changes.filter(isRegression).length >= 30)
    t.equal(measured(factors, { jobs: JOBS }).changes.filter(isRegression).length, 0, 'without controls it is the job')
  },
)

t.test('noise that hides a change of 10 % makes the comparison inconclusive, not unchanged', async t => {
  // With five series nothing is known to be common, so the noise of the jobs is that of each series.
  const noisy = measured(same(5), { jobs: JOBS })
  t.equal(noisy.verdict, 'inconclusive')
  t.ok(noisy.changes.every(({ reason }) => reason === 'noise'))
  t.equal(measured(same(5), { jobs: JOBS, threshold: 1.6 }).verdict, 'no change', 'only larger changes matter')
})

t.test('without a history only large changes are found, and a series without one is not unchanged', async t => {
  const [base, head] = [
    [access('a', 1000), access('b', 1000)],
    [access('a', 3000), access('b', 1010)],
  ]
  const compared = compare(ACCESS, base, head)
  t.strictSame(verdicts(compared), [
    ['a', 'slower'],
    ['b', 'unjudged'],
  ])
  t.equal(compared.changes[1]?.reason, 'no_history')
  t.equal(compare(ACCESS, base.slice(1), head.slice(1)).verdict, 'inconclusive')
  t.strictSame(verdicts(compare(ACCESS, base.slice(1), [access('b', 1150)])), [['b', 'unproven']])
})

t.test('fewer than four runs on a side cannot be judged without a history, however far apart', async t => {
  const compared = compare(ACCESS, [access('a', 1000)], [access('a', 9000, runs(9000, 3))])
  t.match(compared.changes, [{ verdict: 'unjudged', reason: 'few_runtimes', ratio: 9, test: undefined }])
  t.equal(compared.verdict, 'inconclusive')
})

t.test('times of different machines are not compared', async t => {
  const compared = compare(ACCESS, [access('a', 1000, runs(1000), 'x86')], [access('a', 9000, runs(9000), 'arm')])
  t.match(compared.changes, [{ verdict: 'unjudged', reason: 'other_machine' }])
})

t.test('a value that is not positive has no ratio', async t => {
  t.match(compare(ACCESS, [access('a', 0)], [access('a', 9)]).changes, [{ verdict: 'unjudged', reason: 'no_ratio' }])
  for (const value of [0, -5]) {
    const { changes } = compare(ACCESS, [access('a', value)], [access('a', value)])
    t.match(changes, [{ verdict: 'unjudged', reason: 'no_ratio', ratio: undefined }], `${value} on both sides`)
  }
  t.match(compare(SIZE, [size('a', 0n)], [size('a', 0n)]).changes, [{ verdict: 'unchanged', ratio: 1 }])
})

t.test('runs that are not positive do not count', async t => {
  const without = (value: number): Measurement => access('a', value, [0n, 0n, 0n, 0n, 0n, BigInt(value)])
  const { changes } = compare(ACCESS, [without(1000)], [without(1000)])
  t.match(changes, [{ verdict: 'unjudged', reason: 'few_runtimes' }])
})

t.test('sizes go by the ratio alone', async t => {
  const base = [size('a', 100n), size('b', 100n), size('c', 100n)]
  const { changes } = compare(SIZE, base, [size('a', 120n), size('b', 80n), size('c', 105n)])
  t.strictSame(
    changes.map(({ verdict, test }) => [verdict, test]),
    [
      ['smaller', undefined],
      ['larger', undefined],
      ['unchanged', undefined],
    ],
  )
})

t.test('series of only one side are listed; null and the empty string are two series', async t => {
  const other: Measurement = { ...size('a', 1n), dimensions: ['a', '', 'vortex'] }
  const { changes, onlyBase, onlyHead } = compare(SIZE, [size('a', 1n)], [other])
  t.equal(changes.length, 0)
  t.strictSame(
    [onlyBase, onlyHead].flat().map(({ dimensions }) => dimensions[1]),
    [null, ''],
  )
})

t.test('the series of a kind and dataset are summarized by the geometric mean of their ratios', async t => {
  const { datasets } = compare(ACCESS, [access('a', 100), access('b', 100)], [access('a', 200), access('b', 800)])
  t.match(datasets, [{ dataset: 'taxi', series: 2 }])
  t.ok(Math.abs((datasets[0]?.ratio ?? 0) - 4) < 1e-12)
})

t.test('sizes are judged though times are not, and a proven regression is a change whatever else is open', async t => {
  const times = { kind: ACCESS, rows: { base: [access('a', 1000)], head: [access('a', 1000)] } }
  const sizes = (head: bigint): { kind: Kind; rows: { base: Measurement[]; head: Measurement[] } } => ({
    kind: SIZE,
    rows: { base: [size('a', 100n)], head: [size('a', head)] },
  })
  const overall = (head: bigint, ...kinds: (typeof times)[]): string =>
    compareCommits([...kinds, sizes(head)], { ...NO_NOISE, threshold: 1.03 }).verdict
  t.equal(overall(100n), 'no change')
  t.equal(overall(100n, times), 'inconclusive')
  t.equal(overall(104n, times), 'changed')
  t.equal(overall(90n, times), 'inconclusive')
  t.equal(overall(90n), 'changed')
  t.equal(compareCommits([], { ...NO_NOISE, threshold: 1.03 }).verdict, 'inconclusive')
})
