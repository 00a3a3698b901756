/** Maps: names become dimensions of any kind, and a mistake in a map is named. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { projectFile } from '../fixtures/cli.js'
import type { IngestError } from '../../src/index.js'
import { convertError, convertFiles, recorded } from './fixtures/converting.js'

const GO = recorded('go-bench.txt')

function mapFile(t: Test, content: string): string {
  const path = join(t.testdir(), 'map.toml')
  writeFileSync(path, content)
  return path
}

t.test('named groups, templates and constants fill the dimensions of another kind', async t => {
  const map = mapFile(
    t,
    `[[map]]
     match = '^BenchmarkFields/rows=(?P<rows>\\w+?)-\\d+$'
     kind = "query_measurement"
     dataset = "{group}"
     dataset_variant = "{rows}"
     scale_factor = "1.0"
     query_idx = 7
     storage = "nvme"
     engine = "{tool}"
     format = "{goos}/{goarch}"
     env_triple = "{triple?}"
     peak_physical = "{B/op}"
     peak_virtual = "{allocs/op}"
     physical_delta = -1
     virtual_delta = 0

     [[map]]
     match = 'Sum'
     skip = true

     [[map]]
     per = 1000
     format = "{benchmark}"`,
  )
  const { records, warnings } = await convertFiles(t, [GO], { map })
  t.match(records, [
    {
      ...{
        kind: 'query_measurement',
        dataset: 'example.com/taxi/codec',
        dataset_variant: 'small',
        scale_factor: '1.0',
      },
      ...{ query_idx: 7, storage: 'nvme', engine: 'go-bench', format: 'linux/amd64', value_ns: 1808 },
      ...{ peak_physical: 320, peak_virtual: 1, physical_delta: -1, virtual_delta: 0 },
    },
    { dataset_variant: 'large', peak_physical: 32768 },
    {
      ...{ kind: 'random_access_time', dataset: 'example.com/taxi/codec', format: 'BenchmarkAdd-2' },
      ...{ open_mode: 'cached', value_ns: 71250, all_runtimes_ns: [71250, 79000, 15550] },
    },
  ])
  t.equal(records.length, 3)
  t.notOk('env_triple' in records[0]!)
  t.strictSame(warnings, [])
})

t.test('sizes and searches take their values from what the tools count', async t => {
  const sizes = mapFile(
    t,
    `[[map]]
     match = '^(?<format>BM_Copy)/(?<dataset>\\d+)$'
     kind = "compression_size"
     value_bytes = "{text_bytes}"
     uncompressed_bytes = "{text_bytes}"
     [[map]]
     skip = true`,
  )
  const { records } = await convertFiles(t, [recorded('google-benchmark.json')], { map: sizes })
  t.match(records, [
    { kind: 'compression_size', dataset: '8', format: 'BM_Copy', value_bytes: 8, uncompressed_bytes: 8 },
    { dataset: '4096', value_bytes: 4096 },
  ])
  const searches = mapFile(
    t,
    `[[map]]
     match = 'test_split'
     kind = "vector_search_run"
     dataset = "{params.rows}"
     layout = "{name}"
     flavor = "{group}"
     threshold = 0.5
     matches = "{extra_info.text_bytes}"
     rows_scanned = "{params.rows}"
     bytes_scanned = "{extra_info.text_bytes}"
     iterations = "{stats.rounds}"
     [[map]]
     kind = "compression_time"
     dataset = "{group}"
     format = "{benchmark}"
     op = "encode"`,
  )
  const found = await convertFiles(t, [recorded('pytest-benchmark.json')], { map: searches })
  t.match(found.records, [
    { kind: 'vector_search_run', dataset: '10', threshold: 0.5, matches: 20, rows_scanned: 10, iterations: 5 },
    { dataset: '1000', layout: 'test_codec.py::test_split[1000]' },
    { kind: 'compression_time', dataset: 'sums', format: 'TestGroups::test_sum', op: 'encode' },
  ])
})

t.test('benchmarks that would overwrite each other are refused, and a map gives each a name', async t => {
  const file = recorded('hyperfine.json')
  const error = await convertError(t, [file])
  t.equal(error.message, `${file}: /results/3: "true" has the same dimensions as record 2, which it would overwrite`)
  const map = mapFile(t, `[[map]]\ndataset = "n={parameters.n}"`)
  const { records } = await convertFiles(t, [file], { map })
  t.strictSame(
    records.map(({ dataset, format, value_ns }) => [dataset, format, value_ns]),
    [
      ['n=1', 'sleep 0.01', 14_129_208],
      ['n=1', 'true', 437_963],
      ['n=2', 'sleep 0.02', 26_137_688],
      ['n=2', 'true', 21_678_365],
    ],
  )
})

t.test('a key overrides a named group, which it may use', async t => {
  const map = mapFile(t, `[[map]]\nmatch = '^Benchmark(?<format>[^-]+)'\ndataset = "{format}!"\nformat = "<{format}>"`)
  const { records } = await convertFiles(t, [GO], { map })
  t.match(records[0], { dataset: 'Sum!', format: '<Sum>' })
})

t.test('a mistake in a map is one message with its place', async t => {
  const wrong: readonly (readonly [content: string, message: RegExp])[] = [
    ['x = 1', /map\.toml has "x", but a map holds only tables \[\[map\]\]$/],
    ['', /map\.toml holds no tables \[\[map\]\]$/],
    ['map = 1', /map\.toml holds no tables/],
    ['[[map]\n', /map\.toml: line 1: /],
    ['[[map]]\nmatch = "("', /: map 1 has a match that is no regular expression: /],
    ['[[map]]\nmatch = 1', /: map 1 has a match that is not text$/],
    ['[[map]]\n[[map]]\nkind = "x"', /: map 2 has the kind "x"$/],
    ['[[map]]\nskip = "yes"', /: map 1 has a skip that is neither true nor false$/],
    ['[[map]]\nper = 0', /: map 1 has a per that is not a whole number from 1 on$/],
    ['[[map]]\ndatset = "x"', /: map 1 has "datset", which is no field of random_access_time$/],
    ['[[map]]\ndataset = 1', /: map 1 has a dataset that must be in quotes$/],
    ['[[map]]\nvalue_ns = 1', /: map 1 has "value_ns", which is no field of/],
    ['[[map]]\nkind = "compression_time"', /: map 1 sets no dataset, which every compression_time has$/],
  ]
  for (const [content, message] of wrong) {
    const { code, message: text } = await convertError(t, [GO], { map: mapFile(t, content) })
    t.equal(code, 'config_invalid', content)
    t.match(text, message)
  }
  const missing = await convertError(t, [GO], { map: 'absent.toml' })
  t.strictSame([missing.code, missing.message], ['config_invalid', 'there is no map absent.toml'])
})

t.test('a benchmark that a map cannot make a record of is one message with its place', async t => {
  const tpch = `kind = "query_measurement"\ndataset = "a"\nstorage = "nvme"\nengine = "e"\nformat = "f"`
  const wrong: readonly (readonly [content: string, error: Partial<IngestError>])[] = [
    ['[[map]]\nmatch = "X"', { message: `${GO}:5: "BenchmarkSum-2" is matched by no rule of the map` }],
    [
      '[[map]]\ndataset = "{grp}"',
      { message: `${GO}:5: "BenchmarkSum-2" has no {grp}, which {map}: map 1 needs for dataset` },
    ],
    [
      `[[map]]\n${tpch}\nquery_idx = "{name}"`,
      {
        message: `${GO}:5: "BenchmarkSum-2" gives query_idx the value "BenchmarkSum-2", which is not a whole number`,
        hint: 'see {map}: map 1',
      },
    ],
    [
      `[[map]]\n${tpch.replace('nvme', 'disk')}\nquery_idx = 1`,
      {
        message: `${GO}:5: "BenchmarkSum-2" makes no valid query_measurement: /storage must be one of nvme, s3, got "disk"`,
      },
    ],
    [
      `[[map]]\n${tpch}\nquery_idx = 9999999999`,
      { message: /makes no valid query_measurement: \/query_idx .*9999999999/ as unknown as string },
    ],
    [
      '[[map]]\nmatch = "(?<format>X)|Sum"',
      { message: /makes no valid random_access_time: \/format is missing/ as unknown as string },
    ],
  ]
  for (const [content, expected] of wrong) {
    const map = mapFile(t, content)
    const { code, message, hint } = await convertError(t, [GO], { map })
    const known = (text: string | undefined): string | undefined => text?.replaceAll(map, '{map}')
    t.match({ code, message: known(message), hint: known(hint) }, { code: 'bad_data', ...expected }, content)
  }
})

t.test('the map in the documentation works', async t => {
  const [, content = ''] =
    /```toml\n(\[\[map\]\][^]*?)```/.exec(readFileSync(projectFile('docs/data.md'), 'utf8')) ?? []
  const { records } = await convertFiles(t, [recorded('criterion')], { map: mapFile(t, content) })
  t.match(records, [
    { kind: 'random_access_time', dataset: 'tpch/q1', format: 'add', value_ns: 2503 },
    { kind: 'query_measurement', dataset: 'tpch', query_idx: 1, engine: 'recursive', format: '10', storage: 'nvme' },
    { kind: 'query_measurement', dataset: 'tpch', query_idx: 1, engine: 'recursive', format: '5' },
  ])
})
