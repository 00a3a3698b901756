/** Recorded outputs of all tools become valid records with exact times, without a map. */

import { readdirSync } from 'node:fs'
import t from 'tap'
import { OTHER_TOOLS } from '../../src/source/other-tools.js'
import { convertFiles, lines, recorded } from './fixtures/converting.js'

t.test('hyperfine: every time in whole nanoseconds, the command as the name', async t => {
  const converted = await convertFiles(t, [recorded('hyperfine-failed.json')], { from: 'hyperfine' })
  t.strictSame(lines(converted), ['hyperfine | sh -c "exit 3" | 3669919 | 3669919,5017362,816994'])
  t.strictSame(converted.warnings, [`${recorded('hyperfine-failed.json')}: /results/0: 3 of the timed runs failed`])
})

t.test('pytest-benchmark: the rounds per iteration, or the median where the data was not saved', async t => {
  t.strictSame(lines(await convertFiles(t, [recorded('pytest-benchmark.json')])), [
    'test_codec.py | test_split[10] | 318 | 824,349,318,309,298',
    'test_codec.py | test_split[1000] | 11421 | 14358,2152518,11421,9894,11351',
    'sums | TestGroups::test_sum | 14676 | 16255,14526,14082,14826',
  ])
  t.strictSame(lines(await convertFiles(t, [recorded('pytest-benchmark-without-data.json')])), [
    'test_codec.py | test_split[10] | 277 | ',
    'test_codec.py | test_split[1000] | 10009 | ',
    'sums | TestGroups::test_sum | 14680 | ',
  ])
})

t.test(
  'Google Benchmark: the repetitions in any unit, without aggregates and without benchmarks that did not run',
  async t => {
    const file = recorded('google-benchmark.json')
    const converted = await convertFiles(t, [file])
    t.strictSame(lines(converted), [
      'taxi_bench | BM_Copy/8 | 25 | 27,23',
      'taxi_bench | BM_Copy/4096 | 491 | 554,428',
      'taxi_bench | BM_Sleep/iterations:3/real_time | 11253164 | 10504879,12001448',
    ])
    t.match(converted.warnings, [
      `${file}: /benchmarks/20: BM_Broken is left out, because it did not run: no data`,
      `${file}: /benchmarks/21: BM_Broken is left out, because it did not run: no data`,
      /^whole nanoseconds are coarse for "BM_Copy\/8" because an iteration takes less than 100 ns; per = 1000 in a map /,
    ])
    t.strictSame(lines(await convertFiles(t, [recorded('google-benchmark-aggregates.json')])), [
      'taxi_bench | BM_Copy/8 | 6 | ',
      'taxi_bench | BM_Copy/4096 | 94 | ',
    ])
    t.strictSame(lines(await convertFiles(t, [recorded('google-benchmark-python.json')])), [
      'gbpy.py | split | 6685 | 6685',
    ])
  },
)

t.test(
  'JMH: the iterations of all forks in each mode, a throughput as its reciprocal, samples as their median',
  async t => {
    t.strictSame(lines(await convertFiles(t, [recorded('jmh.json')])), [
      'org.example.Codec | encode rows=10 | 14094 | 43699,16954,10363,11233,31239,2059',
      'org.example.Codec | encode rows=1000 | 1492313 | 33209663,4217411,1684350,299698,226553,1300276',
      'org.example.Codec | decode rows=10 | 3325 | 13423,2145,1457,280,4504,5199',
      'org.example.Codec | decode rows=1000 | 1611586 | 2351939,2701604,845568,753252,2934257,871233',
      'org.example.Codec | sampled rows=1000 | 89344 | 106880,71936,39616,95488,95616,83200',
      'org.example.Codec | once rows=10 | 15660 | 16142,16570,14301,19826,15177,11636',
      'org.example.Codec | once rows=1000 | 139391 | 342705,125710,141000,137781,162481,129115',
    ])
  },
)

t.test('go test: the runs of -count, as text and with -json', async t => {
  t.strictSame(lines(await convertFiles(t, [recorded('go-bench.txt')])), [
    'example.com/taxi | BenchmarkSum-2 | 3366 | 3366,2875,3477',
    'example.com/taxi/codec | BenchmarkFields/rows=small-2 | 1808 | 1649,1808,1848',
    'example.com/taxi/codec | BenchmarkFields/rows=large-2 | 46987 | 48963,44568,46987',
    'example.com/taxi/codec | BenchmarkAdd-2 | 71 | 71,79,16',
  ])
  t.strictSame(lines(await convertFiles(t, [recorded('go-bench.jsonl')])), [
    'example.com/taxi | BenchmarkSum | 4044 | 3894,4194',
    'example.com/taxi | BenchmarkSum-2 | 4166 | 4406,3926',
    'example.com/taxi/codec | BenchmarkFields/rows=small | 450 | 467,432',
    'example.com/taxi/codec | BenchmarkFields/rows=small-2 | 451 | 305,597',
    'example.com/taxi/codec | BenchmarkFields/rows=large | 22959 | 28153,17765',
    'example.com/taxi/codec | BenchmarkFields/rows=large-2 | 35464 | 37630,33298',
    'example.com/taxi/codec | BenchmarkAdd | 19 | 23,14',
    'example.com/taxi/codec | BenchmarkAdd-2 | 31 | 33,29',
  ])
})

t.test('Criterion: the samples per iteration, from its folder and from the messages of cargo-criterion', async t => {
  t.strictSame(lines(await convertFiles(t, [recorded('criterion')])), [
    'criterion | fib 20 | 90265 | 19049,19627,315104,178300,94930,88561,91969,50887,87994,103384',
    'tpch/q1 | add | 3 | 1,1,6,1,5,3,3,2,5,2',
    'tpch/q1 | recursive/10 | 529 | 200,199,795,510,519,557,561,475,628,538',
    'tpch/q1 | recursive/5 | 50 | 150,14,15,83,79,51,49,80,48,38',
  ])
  t.strictSame(lines(await convertFiles(t, [recorded('cargo-criterion.jsonl')])), [
    'criterion | fib 20 | 351567 | 31484,25799,713425,19293,700962,250266,953866,1273341,452867,165281',
    'tpch/q1 | recursive/5 | 21 | 20,30,20,22,1100,19,19,1504,20,1174',
    'tpch/q1 | recursive/10 | 722 | 1116,53367,328,324,314,37494,19182,172,28418,164',
    'tpch/q1 | add | 1 | 1,1,1,1,1,1,67,1,95,50',
  ])
})

t.test(
  'several files of different tools are recognised one by one, and a record holds exactly the fields of its kind',
  async t => {
    const { records } = await convertFiles(t, [recorded('{go-bench.txt,jmh.json}')])
    t.equal(records.length, 11)
    t.strictSame(Object.keys(records[0]!), [
      ...['kind', 'commit_sha', 'dataset', 'format', 'open_mode', 'value_ns', 'all_runtimes_ns'],
    ])
  },
)

t.test('every tool that is recognised has a recorded output that is recognised as its own', async t => {
  for (const { from } of OTHER_TOOLS) {
    const [name] = readdirSync(recorded('')).filter(name => name.startsWith(from))
    t.ok((await convertFiles(t, [recorded(name ?? from)], { from, map: recorded('any-name.toml') })).records.length > 0)
  }
})
