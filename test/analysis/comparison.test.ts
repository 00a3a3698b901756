import t from 'tap'
import { compareCommits, type Comparison } from '../../src/analysis/comparison.js'
import { fewestToBeReal, isRegression } from '../../src/analysis/judge.js'
import type { Measurement } from '../../src/analysis/series.js'
import { CONTRACT, type Kind } from '../../src/contract/kinds.js'

const kindOf = (name: string): Kind => CONTRACT.kinds.find(({ kind }) => kind === name)!
const ACCESS = kindOf('random_access_time')
const SIZE = kindOf('compression_size')

/** Runs of about some length: n of them, a nanosecond apart. */
const runs = (about: number, n = 10): bigint[] => Array.from({ length: n }, (_, index) => BigInt(about + index))

function access(format: string, value: number, runtimes = runs(value)): Measurement {
  return { dimensions: ['taxi', format], value: BigInt(value), runtimes, platform: null, uncompressed: undefined }
}

function size(dataset: string, value: bigint): Measurement {
  return { dimensions: [dataset, null, 'vortex'], value, runtimes: undefined, platform: null, uncompressed: undefined }
}

function compare(kind: Kind, base: readonly Measurement[], head: readonly Measurement[]): Comparison {
  return compareCommits([{ kind, rows: { base, head } }], 1.1)
}

const verdicts = ({ changes }: Comparison): unknown[] =>
  changes.map(({ head, verdict }) => [head.dimensions[1], verdict])

t.test('a change is real when the ratio is beyond the threshold and the runs agree', async t => {
  const base = [access('slow', 1000), access('fast', 1000), access('same', 1000)]
  const head = [access('slow', 1500), access('fast', 500), access('same', 1050)]
  const compared = compare(ACCESS, base, head)
  t.strictSame(verdicts(compared), [
    ['fast', 'faster'],
    ['slow', 'slower'],
    ['same', 'unchanged'],
  ])
  t.strictSame(
    compared.changes.filter(isRegression).map(({ ratio }) => ratio),
    [1.5],
  )
})

t.test('runs that overlap prove nothing, nor do runs that went the other way', async t => {
  const mixed = [500n, 700n, 900n, 1100n, 1300n, 1500n, 1700n, 1900n]
  t.strictSame(verdicts(compare(ACCESS, [access('a', 1000, mixed)], [access('a', 1200, mixed)])), [['a', 'unproven']])
  const contrary = compare(ACCESS, [access('a', 1000, runs(2000))], [access('a', 1500, runs(100))])
  t.strictSame(verdicts(contrary), [['a', 'unproven']])
  t.ok((contrary.changes[0]?.test?.q ?? 1) < 0.05)
})

t.test('fewer than four runs on a side cannot be judged, however far apart', async t => {
  const { changes } = compare(ACCESS, [access('a', 1000)], [access('a', 9000, runs(9000, 3))])
  t.match(changes, [{ verdict: 'unjudged', reason: 'few_runtimes', ratio: 9, test: undefined }])
})

t.test('a value that is not positive has no ratio', async t => {
  t.match(compare(ACCESS, [access('a', 0)], [access('a', 9)]).changes, [{ verdict: 'unjudged', reason: 'no_ratio' }])
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

t.test('more series ask for more: among twenty a lone change of five runs is unproven', async t => {
  const formats = Array.from({ length: 20 }, (_, index) => `format-${index}`)
  const base = formats.map(format => access(format, 1000, runs(1000, 5)))
  const changed = (count: number): Comparison =>
    compare(
      ACCESS,
      base,
      formats.map((format, index) =>
        index < count ? access(format, 2000, runs(2000, 5)) : access(format, 1000, runs(1000, 5)),
      ),
    )
  // The smallest p is 2 of 252, and 2/252 · 20 / k is below 0.05 from k = 4 on.
  t.equal(fewestToBeReal(changed(0).changes), 4)
  t.equal(changed(3).changes.filter(isRegression).length, 0)
  t.equal(changed(4).changes.filter(isRegression).length, 4)
})
