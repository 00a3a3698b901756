/** Every column, digit and character of each kind reaches the database. */

import t from 'tap'
import { runCli, type CliOptions, type CliResult } from '../fixtures/cli.js'
import { startMigratedPostgres } from './fixtures/database.js'
import {
  COMMIT,
  SHA,
  jsonl,
  oneOfEach,
  query,
  search,
  size,
  token,
  writeCommit,
  writeLines,
} from '../fixtures/records.js'

const { server, createDatabase } = await startMigratedPostgres(t)

/** A push that takes its commit from a file, so that it needs no git. */
function push(cwd: string, args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return runCli(['push', '--commit', writeCommit(cwd), ...args], { cwd, ...options })
}

/** A duration is the one thing that differs from run to run. */
const untimed = (stdout: string): string => stdout.replace(/ in \d+\.\d+ s\n/, ' in … s\n')

t.test('records of every kind land over TLS, each with all of its columns', async t => {
  const cwd = t.testdir({ 'results.jsonl': jsonl(oneOfEach()) })
  const { url, name, sql } = await createDatabase()
  const { code, stdout, stderr } = await push(cwd, ['results.jsonl', '--postgres', url])

  t.equal(code, 0)
  const where = `postgres://bench_ingest@127.0.0.1:${server.port}/${name}`
  t.equal(
    untimed(stdout),
    `ingested 5 records of 0123456 into ${where} (5 inserted, 0 updated) in … s
  query_measurement              1 records           1 inserted           0 updated
  compression_time               1 records           1 inserted           0 updated
  compression_size               1 records           1 inserted           0 updated
  random_access_time             1 records           1 inserted           0 updated
  vector_search_run              1 records           1 inserted           0 updated
`,
  )
  t.equal(stderr, '')
  const ids = (await runCli(['id', 'results.jsonl'], { cwd })).stdout.trimEnd().split('\n')
  t.strictSame(await sql(`SELECT *, timestamp::text FROM commits`), [
    { ...withoutSha(COMMIT), commit_sha: SHA, timestamp: '2026-02-04 04:30:00+00' },
  ])
  t.strictSame(await sql('SELECT *, commit_timestamp::text FROM query_measurements'), [
    {
      ...{
        measurement_id: ids[0],
        commit_sha: SHA,
        dataset: 'tpch',
        dataset_variant: null,
        scale_factor: '1',
        query_idx: 1,
      },
      ...{
        storage: 'nvme',
        engine: 'vortex',
        format: 'parquet',
        value_ns: '120',
        all_runtimes_ns: ['100', '120', '140'],
      },
      ...{ peak_physical: null, peak_virtual: null, physical_delta: null, virtual_delta: null, env_triple: null },
      commit_timestamp: '2026-02-04 04:30:00+00',
    },
  ])
  t.strictSame(await sql('SELECT * FROM compression_times'), [
    {
      ...{
        measurement_id: ids[1],
        commit_sha: SHA,
        dataset: 'taxi',
        dataset_variant: null,
        format: 'vortex',
        op: 'encode',
      },
      ...{ value_ns: '7', all_runtimes_ns: ['7'], env_triple: null },
    },
  ])
  t.strictSame(await sql('SELECT * FROM compression_sizes'), [
    {
      ...{ measurement_id: ids[2], commit_sha: SHA, dataset: 'taxi', dataset_variant: null, format: 'vortex' },
      ...{ value_bytes: '4096', uncompressed_bytes: null },
    },
  ])
  t.strictSame(await sql('SELECT * FROM random_access_times'), [
    {
      ...{ measurement_id: ids[3], commit_sha: SHA, dataset: 'taxi', format: 'lance', open_mode: 'cached' },
      ...{ value_ns: '9', all_runtimes_ns: ['9', '9'], env_triple: null },
    },
  ])
  t.strictSame(await sql('SELECT * FROM vector_search_runs'), [
    {
      ...{
        measurement_id: ids[4],
        commit_sha: SHA,
        dataset: 'cohere',
        layout: 'trained',
        flavor: 'vortex',
        threshold: 0.5,
      },
      ...{ value_ns: '11', all_runtimes_ns: ['11'], matches: '3', rows_scanned: '1000', bytes_scanned: '65536' },
      ...{ iterations: 5, env_triple: null },
    },
  ])
})

t.test('integers arrive digit for digit, a threshold as the nearest double with its sign', async t => {
  const cwd = t.testdir({})
  const max = token('9223372036854775807')
  const min = token('-9223372036854775808')
  const memory = { peak_physical: max, peak_virtual: min, physical_delta: 0, virtual_delta: token('9007199254740993') }
  writeLines(cwd, 'exact.jsonl', [
    query({ value_ns: max, all_runtimes_ns: [max, min, token('9007199254740993')], ...memory, query_idx: -2147483648 }),
    search({ threshold: token('-0.0'), flavor: 'negative zero' }),
    search({ threshold: token('0'), flavor: 'zero' }),
    search({ threshold: token('4.9406564584124654e-324'), flavor: 'subnormal' }),
    search({ threshold: token('1.7976931348623157e308'), flavor: 'largest' }),
    search({ threshold: token('0.30000000000000004'), flavor: 'sum' }),
  ])
  const { url, sql } = await createDatabase()
  const { code, stderr } = await push(cwd, ['exact.jsonl', '--postgres', url])
  t.equal(code, 0, stderr)
  t.strictSame(
    await sql(
      'SELECT value_ns, all_runtimes_ns, peak_physical, peak_virtual, virtual_delta, query_idx FROM query_measurements',
    ),
    [
      {
        value_ns: '9223372036854775807',
        all_runtimes_ns: ['9223372036854775807', '-9223372036854775808', '9007199254740993'],
        ...{ peak_physical: '9223372036854775807', peak_virtual: '-9223372036854775808' },
        ...{ virtual_delta: '9007199254740993', query_idx: -2147483648 },
      },
    ],
  )
  const thresholds = await sql('SELECT flavor, threshold::text FROM vector_search_runs ORDER BY flavor')
  t.strictSame(Object.fromEntries(thresholds.map(({ flavor, threshold }) => [flavor, threshold])), {
    ...{
      largest: '1.7976931348623157e+308',
      'negative zero': '-0',
      subnormal: '5e-324',
      sum: '0.30000000000000004',
      zero: '0',
    },
  })
  t.equal((await runCli(['verify', 'exact.jsonl', '--postgres', url], { cwd })).code, 0)
})

t.test('strings are stored unchanged, even where COPY gives characters a meaning', async t => {
  const odd = [
    'a\tb',
    'a\nb\r\n',
    'a\\b\\N\\.',
    '\\N',
    '\\.',
    `it's "so"`,
    '👍🏽 é ﷽',
    'e\u0301',
    ' ',
    '',
    '{1,2}',
    '\u0001\u007f\u2028',
  ]
  const cwd = t.testdir({
    'odd.jsonl': jsonl(odd.map((dataset, query_idx) => query({ dataset, env_triple: dataset, query_idx }))),
  })
  const { url, sql } = await createDatabase()
  const { code, stderr } = await push(cwd, ['odd.jsonl', '--postgres', url])
  t.equal(code, 0, stderr)
  const rows = await sql('SELECT dataset, env_triple FROM query_measurements ORDER BY query_idx')
  t.strictSame(
    rows,
    odd.map(text => ({ dataset: text, env_triple: text })),
  )
  t.equal((await runCli(['verify', 'odd.jsonl', '--postgres', url], { cwd })).code, 0)
})

t.test('a line may write a field escaped, reordered or as null, and it is the same measurement', async t => {
  const plain = size({ dataset: 'é' })
  const same = `{ "value_bytes":4096, "format":"vorte\\u0078","dataset":"\\u00e9","dataset_variant":null,"commit_sha":"${SHA}","kind":"compression_size" }`
  const cwd = t.testdir({ 'same.jsonl': jsonl([plain, same]) })
  const { url } = await createDatabase()
  const { stdout } = await push(cwd, ['same.jsonl', '--postgres', url, '--format', 'json'])
  t.match(JSON.parse(stdout), { records: 2, inserted: 1, updated: 1 })
})

function withoutSha({ sha: _sha, ...rest }: typeof COMMIT): Omit<typeof COMMIT, 'sha'> {
  return rest
}
