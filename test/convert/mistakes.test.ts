/** Files that cannot be converted are one error that names the file and the place. */

import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { gzipSync } from 'node:zlib'
import { MAX_DOCUMENT_BYTES } from '../../src/convert/document.js'
import { convertError, convertFiles, lines, recorded, type Chosen } from './fixtures/converting.js'

function file(t: Test, content: string | Uint8Array): string {
  const path = join(t.testdir(), 'f')
  writeFileSync(path, content)
  return path
}

/** Checks the errors of contents, as `code: message` without the folder of the file. */
async function check(t: Test, cases: readonly (readonly [content: string, error: string])[], chosen: Chosen = {}) {
  for (const [content, expected] of cases) {
    const path = file(t, content)
    const { code, message, hint } = await convertError(t, [path], chosen)
    t.equal(`${code}: ${message.replaceAll(path, 'f')}`, expected)
    t.ok(hint, expected)
  }
}

t.test('a file of another tool, or of none that is known, is named', async t => {
  const jmh = readFileSync(recorded('jmh.json'), 'utf8')
  await check(t, [[jmh, 'wrong_format: f holds the output of JMH, not of hyperfine']], { from: 'hyperfine' })
  await check(t, [
    ['', 'wrong_format: f is not recognised as the output of a benchmark tool'],
    ['{"results":[]}', 'wrong_format: f is not recognised as the output of a benchmark tool'],
  ])
})

t.test('text for people leads to the command that writes what is read', async t => {
  const texts = new URL('../source/fixtures/other-tools/', import.meta.url)
  for (const [name, hint] of [
    ['hyperfine.txt', /hyperfine --export-json FILE/],
    ['jmh.txt', /-rf json -rff FILE/],
    ['google-benchmark.txt', /--benchmark_out_format=json/],
    ['pytest-benchmark.txt', /--benchmark-json FILE/],
    ['criterion.txt', /the folder target\/criterion/],
    ['criterion-estimates.json', /the folder target\/criterion/],
  ] as const) {
    const path = file(t, readFileSync(new URL(name, texts)))
    t.match(
      await convertError(t, [path]),
      { code: 'bad_data', message: /^\S+f (is not JSON|holds no messages)/, hint },
      name,
    )
  }
})

t.test('a wrong value is named by its JSON pointer, broken JSON by its line', async t => {
  const bench = '"command":"x","median":1'
  await check(
    t,
    [
      [
        `{"results":[{${bench},"times":[1,-2]}]}`,
        'bad_data: f: /results/0/times/1 must be a number that is not negative',
      ],
      [
        `{"results":[{${bench},"times":[null]}]}`,
        'bad_data: f: /results/0/times/0 must be a number that is not negative',
      ],
      [`{"results":[{${bench},"times":{}}]}`, 'bad_data: f: /results/0/times must be an array'],
      [`{"results":[{"median":1}]}`, 'bad_data: f: /results/0 has no "command"'],
      [`{"results":[{"command":1,"median":1}]}`, 'bad_data: f: /results/0/command must be text'],
      ['[]', 'bad_data: f: the document has no "results"'],
      ['{"results":[]}', 'no_input: f holds no results of hyperfine'],
      [
        '{"results": [\n{\n "command": oops',
        'bad_data: f is not JSON: "o" at line 3, column 13 where a value should be',
      ],
      [`{"results":[{${bench},`, 'bad_data: f is not JSON: ends at column 39 where a key in double quotes should be'],
      [
        `{"results":[{"command":"x","median":9007199.254740993}]}`,
        'bad_data: f: /results/0: "x" has the number 9007199254740993; the largest that convert writes exactly is 9007199254740991',
      ],
      [
        '{"results":[{"command":"\\u0000","median":1}]}',
        'bad_data: f: /results/0: "\\u0000" makes no valid random_access_time: /format of random_access_time holds U+0000, which Postgres text cannot hold',
      ],
    ],
    { from: 'hyperfine' },
  )
})

t.test('units, throughputs and samples that have no time are refused', async t => {
  const jmh = (metric: string): string => `[{"jmhVersion":"1","benchmark":"a.b","primaryMetric":{${metric}}}]`
  await check(t, [
    [
      jmh('"scoreUnit":"MB/sec","rawData":[[1]]'),
      'bad_data: f: /0/primaryMetric/scoreUnit is "MB/sec", which is neither a time nor a throughput',
    ],
    [
      jmh('"scoreUnit":"ops/s","rawData":[[1,0]]'),
      'bad_data: f: /0/primaryMetric/rawData/0/1 is a throughput of 0, which has no time',
    ],
    [
      jmh('"scoreUnit":"s/op","rawDataHistogram":[[[]]]'),
      'bad_data: f: /0/primaryMetric/rawDataHistogram/0/0 holds no samples',
    ],
  ])
  const google = `{"context":{"mhz_per_cpu":1},"benchmarks":[{"name":"a","real_time":1,"time_unit":"h"}]}`
  await check(t, [[google, 'bad_data: f: /benchmarks/0 has the unknown time_unit h']])
  const message = `{"reason":"benchmark-complete","id":"a","unit":"cycles","measured_values":[1],"iteration_count":[1]}`
  await check(t, [
    [message, 'bad_data: f:1: /unit is "cycles", but records hold nanoseconds'],
    [message.replace('cycles', 'ns'), 'bad_data: f ends before the message that completes the group of "a"'],
    [
      message.replace('cycles', 'ns').replace('[1]', '[1,2]'),
      'bad_data: f:1: /measured_values must have one time for each number of iterations',
    ],
  ])
})

t.test('a JSON document beyond the limit is refused before it is parsed', async t => {
  const path = file(t, '[')
  truncateSync(path, MAX_DOCUMENT_BYTES + 1)
  const { code, message } = await convertError(t, [path], { from: 'jmh' })
  t.strictSame([code, message], ['bad_data', `${path} is larger than 64 MiB, the limit for a JSON document`])
})

t.test('NaN and Infinity, which Python and C++ write, are no error where no time is', async t => {
  const google = `{"context":{"mhz_per_cpu":NaN},"benchmarks":[{"name":"a","real_time":2.5,"time_unit":"ns","rate":-Infinity}]}`
  t.strictSame(lines(await convertFiles(t, [file(t, google)])), ['google-benchmark | a | 3 | 3'])
  await check(t, [[google.replace('2.5', 'NaN'), 'bad_data: f: /benchmarks/0 has no "real_time"']])
})

t.test('a folder is one of Criterion, and its older runs are ignored', async t => {
  const folder = t.testdir()
  cpSync(recorded('criterion'), folder, { recursive: true })
  t.equal((await convertFiles(t, [folder])).records.length, 4)
  const go = await convertError(t, [folder], { from: 'go-bench' })
  t.match(go, { code: 'no_input', message: `${folder} is a folder, but go test -bench writes files` })
  rmSync(join(folder, 'tpch_q1/add/new/sample.json'))
  t.match(await convertError(t, [folder]), { code: 'no_input', message: /add\/new\/sample\.json: no such file$/ })
  mkdirSync(join(folder, 'empty'))
  const empty = join(folder, 'empty')
  t.match(await convertError(t, [empty]), { code: 'no_input', message: `${empty} holds no benchmarks of Criterion` })
})

t.test('go test: torn, failed and appended results', async t => {
  const output = `pkg: p\nBenchmarkA \t 3\t 1.5 ns/op\nBenchmarkB \t 3\t 100 ns/op\nBenchmarkC \toutput\n  20\t 7 ns/op\n--- FAIL: BenchmarkD\nFAIL\tp\t1s\r\n`
  const path = file(t, gzipSync(output + output.replace('1.5', '2.5').replaceAll('\n', '\r\n')))
  const converted = await convertFiles(t, [path])
  t.strictSame(lines(converted), ['p | BenchmarkA | 3 | 2,3', 'p | BenchmarkB | 100 | 100,100'])
  t.match(converted.warnings, [
    `${path}:5: a result is left out, because output of the benchmark stands in place of its name`,
    `${path}:6: --- FAIL: BenchmarkD`,
    `${path}:7: FAIL\tp\t1s`,
  ])
  await check(t, [
    ['goos: linux\nPASS\n', 'no_input: f holds no results of go test -bench'],
    ['goos: linux\nBenchmarkA 3 7 widgets', 'bad_data: f:2: "BenchmarkA" has no time'],
    ['goos: linux\nBenchmarkA 3 1.2.3 ns/op', 'bad_data: f:2: "1.2.3" is no time'],
    ['{"Action":"start","Package":"p"}\n{"Action"', 'bad_data: f:2 is not JSON: ends at column 10 where ":" should be'],
  ])
  const latin = await convertError(t, [file(t, Buffer.from('goos: linux\nBenchmark\xe9 3 7 ns/op\n', 'latin1'))])
  t.match(latin, { code: 'bad_data', message: /f:2: not valid UTF-8$/ })
})
