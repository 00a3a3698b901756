import t from 'tap'
import { readFileSync } from 'node:fs'
import { findChangePoints, MAX_FALSE, type AnalysedSeries } from '../../src/analysis/history-changes.js'
import { generateHistory } from './fixtures/benchmark-history.js'
import { f1, generateSeries, NOISES, RECORDED, score } from './fixtures/generated-series.js'

const THRESHOLD = 1.02

/** `series@commit` of each change point. */
const placesIn = (all: readonly AnalysedSeries[], threshold = THRESHOLD): readonly string[] =>
  findChangePoints(all, threshold).map(({ series, commit }) => `${series}@${commit}`)

const alone = (values: readonly (number | null)[]): readonly AnalysedSeries[] => [
  { values: Float64Array.from(values, value => value ?? NaN), machine: 'm' },
]

t.test('compared with Apache Otava on 240 generated series with known change points', async t => {
  const recording = readFileSync(new URL('./fixtures/otava-answers.json', import.meta.url), 'utf8')
  const { version, changes: answers } = JSON.parse(recording) as { version: string; changes: readonly number[][] }
  const generated = generateSeries(RECORDED.count, RECORDED.seed)
  const own = generated.map(({ values }) => findChangePoints(alone(values), 1).map(({ commit }) => commit))
  const f1Of = (found: readonly (readonly number[])[], tolerance: number, noises: readonly string[]): number =>
    f1(
      generated.flatMap(({ noise, changes }, index) =>
        noises.includes(noise) ? [score(found[index]!, changes, tolerance)] : [],
      ),
    )
  for (const tolerance of [0, 1, 3])
    for (const noises of [NOISES, ...NOISES.map(noise => [noise])]) {
      const [ours, theirs] = [f1Of(own, tolerance, noises), f1Of(answers, tolerance, noises)]
      const where = `with noise ${noises.join(', ')}, at most ${tolerance} commits off`
      t.ok(ours >= theirs, `F1 ${ours.toFixed(3)}, Otava ${version} ${theirs.toFixed(3)}, ${where}`)
    }
})

t.test('400 series without a change, measured by jobs with 6 % noise, raise no alarm', async t => {
  for (const seed of [1, 2, 3, 4])
    t.strictSame(placesIn(generateHistory({ series: 400, commits: 60, jobNoise: 0.06, ownNoise: 0.02 }, seed)), [])
})

t.test('two regressions among 60 series of 14 commits are found at their commits, and nothing else', async t => {
  const planted = [
    { series: 7, commit: 5, factor: 1.27 },
    { series: 31, commit: 10, factor: 1.27 },
  ]
  for (const seed of [1, 2, 3, 4, 5]) {
    const history = generateHistory({ series: 60, commits: 14, jobNoise: 0.04, ownNoise: 0.02, planted }, seed)
    t.strictSame(placesIn(history), ['7@5', '31@10'])
    for (const { oldLevel, newLevel, q, before, commit } of findChangePoints(history, THRESHOLD)) {
      t.ok(Math.abs(newLevel / oldLevel / 1.27 - 1) < 0.04, String(newLevel / oldLevel))
      t.ok(q <= MAX_FALSE)
      t.equal(before, commit - 1)
    }
  }
})

t.test('a change of the last two commits is found only where outliers are rare', async t => {
  const planted = [{ series: 3, commit: 28, factor: 1.4 }]
  const options = { series: 60, commits: 30, jobNoise: 0.04, ownNoise: 0.02, planted }
  t.strictSame(placesIn(generateHistory(options, 1)), ['3@28'])
  t.strictSame(placesIn(generateHistory({ ...options, outliers: 0.04 }, 1)), [])
})

t.test('lone outliers are no change points, wherever they lie', async t => {
  for (const place of [0, 1, 15, 28, 29]) {
    const history = generateHistory({ series: 60, commits: 30, jobNoise: 0.04, ownNoise: 0.01 }, place)
    history[5]!.values[place]! *= 3
    t.strictSame(placesIn(history), [], `an outlier at ${place}`)
  }
  for (const place of [0, 29])
    for (const seed of [1, 2, 3, 4]) {
      const history = generateHistory({ series: 5, commits: 30, jobNoise: 0, ownNoise: 0.01 }, seed)
      history[2]!.values[place]! *= 2
      t.strictSame(placesIn(history), [], `an outlier at ${place} among few series, seed ${seed}`)
    }
})

t.test('a lasting shift of all series is found in each of them, because a commit may have caused it', async t => {
  const planted = Array.from({ length: 20 }, (_, series) => ({ series, commit: 20, factor: 1.5 }))
  const found = placesIn(generateHistory({ series: 20, commits: 40, jobNoise: 0.02, ownNoise: 0.02, planted }, 3))
  t.strictSame(
    found,
    planted.map(({ series }) => `${series}@20`),
  )
})

t.test('exact values change at each step that lasts, and at the newest value', async t => {
  const sizes = (values: readonly number[]): readonly AnalysedSeries[] => [
    { values: Float64Array.from(values), machine: undefined },
  ]
  t.strictSame(placesIn(sizes([100, 100, 100, 110, 110, 110, 110])), ['0@3'])
  t.strictSame(placesIn(sizes([100, 100, 100, 100, 110])), ['0@4'])
  t.strictSame(placesIn(sizes([100, 100, 100, 100, 101])), [], 'below the threshold')
  t.strictSame(placesIn(sizes([100, 110, 100, 111, 103, 104, 99])), [], 'values with noise')
})

t.test('commits that were not measured lie between the old and the new level', async t => {
  const history = generateHistory(
    { series: 20, commits: 30, jobNoise: 0.02, ownNoise: 0.01, planted: [{ series: 2, commit: 12, factor: 1.3 }] },
    1,
  )
  for (const commit of [12, 13, 14]) history[2]!.values[commit] = NaN
  history[3]!.values.fill(NaN)
  history[4]!.values.fill(-1)
  t.match(findChangePoints(history, THRESHOLD), [{ series: 2, before: 11, commit: 15 }])
})

t.test('the order of the series does not matter', async t => {
  const planted = [{ series: 4, commit: 20, factor: 1.1 }]
  const history = generateHistory({ series: 30, commits: 50, jobNoise: 0.05, ownNoise: 0.02, planted }, 9)
  const found = findChangePoints(history, THRESHOLD)
  const reversed = findChangePoints([...history].reverse(), THRESHOLD)
  t.equal(found.length, 1)
  t.strictSame(
    reversed,
    found.map(point => ({ ...point, series: 25 })),
  )
})

t.test('no series and empty series have no change points', async t => {
  t.strictSame(findChangePoints([], THRESHOLD), [])
  t.strictSame(findChangePoints(alone([]), THRESHOLD), [])
  t.strictSame(findChangePoints(alone([1, 2]), THRESHOLD), [])
})
