import t from 'tap'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { startMigratedPostgres, type Database } from './fixtures/database.js'
import {
  SHA,
  access,
  jsonl,
  manyQueries,
  oneOfEach,
  query,
  search,
  size,
  time,
  writeCommit,
  writeLines,
} from '../fixtures/records.js'
import { olderTables } from '../fixtures/delivery.js'
import { schemaErrors } from './fixtures/schema.js'

const { server, createDatabase } = await startMigratedPostgres(t)

/** A database that holds what `<cwd>/results.jsonl` says. */
async function pushed(cwd: string, lines: readonly string[]): Promise<Database> {
  const database = await createDatabase()
  writeLines(cwd, 'results.jsonl', lines)
  const push = ['push', 'results.jsonl', '--commit', writeCommit(cwd), '--postgres', database.url]
  const { code, stderr } = await runCli(push, { cwd })
  if (code !== 0) throw new Error(stderr)
  return database
}

function verify(cwd: string, { url }: Pick<Database, 'url'>, ...args: readonly string[]): Promise<CliResult> {
  return runCli(['verify', 'results.jsonl', '--postgres', url, ...args], { cwd })
}

async function idOf(line: string): Promise<string> {
  return (await runCli(['id'], { stdin: line })).stdout.trim()
}

t.test('a database that holds the records of the file is verified, with or without other rows', async t => {
  const cwd = t.testdir({})
  const database = await pushed(cwd, oneOfEach())
  const where = `postgres://bench_ingest@127.0.0.1:${server.port}/${database.name}`
  const { code, stdout, stderr } = await verify(cwd, database)
  t.strictSame([code, stderr], [0, ''])
  t.equal(stdout, `verified: 5 measurements in ${where} are as the file says\n`)

  writeLines(cwd, 'results.jsonl', [query(), time()])
  t.equal((await verify(cwd, database)).stdout, `verified: 2 measurements in ${where} are as the file says\n`)
})

t.test('a changed column is named with both values, in every table', async t => {
  const cwd = t.testdir({})
  const database = await pushed(cwd, oneOfEach())
  await database.sql(`
    UPDATE query_measurements SET all_runtimes_ns = '{100,121,140}';
    UPDATE compression_times SET env_triple = 'arm';
    UPDATE compression_sizes SET value_bytes = 9223372036854775807;
    UPDATE random_access_times SET commit_sha = 'x';
    UPDATE vector_search_runs SET threshold = -0.5`)
  const { code, stdout, stderr } = await verify(cwd, database)
  t.strictSame([code, stderr], [4, ''])
  const ids = await Promise.all(oneOfEach().map(idOf))
  t.equal(
    stdout,
    [
      `results.jsonl:1: query_measurement ${ids[0]} /all_runtimes_ns is "{100,121,140}" in the database and "100,120,140" in the file`,
      `results.jsonl:2: compression_time ${ids[1]} /env_triple is "arm" in the database and null in the file`,
      `results.jsonl:3: compression_size ${ids[2]} /value_bytes is "9223372036854775807" in the database and "4096" in the file`,
      `results.jsonl:4: random_access_time ${ids[3]} /commit_sha is "x" in the database and "${SHA}" in the file`,
      `results.jsonl:5: vector_search_run ${ids[4]} /threshold is "-0.5" in the database and "0.5" in the file`,
      `different: 5 differences in 5 measurements against postgres://bench_ingest@127.0.0.1:${server.port}/${database.name}`,
      '',
    ].join('\n'),
  )
})

t.test('a row that is not there and a commit that is not there are differences', async t => {
  const cwd = t.testdir({})
  const database = await pushed(cwd, [query(), size()])
  await database.sql('DELETE FROM compression_sizes; DELETE FROM commits')
  const { code, stdout } = await verify(cwd, database)
  t.equal(code, 4)
  t.match(
    stdout,
    `results.jsonl: commit ${SHA} is not stored; 1 of its measurements is not stored either\n` +
      'different: 1 difference in 2 measurements against ',
  )
})

t.test('--extra also finds rows of the commit that no line names, and only those', async t => {
  const cwd = t.testdir({})
  const database = await pushed(cwd, [query(), time(), access()])
  await database.sql(`
    INSERT INTO compression_times SELECT 42, '${'f'.repeat(40)}', dataset, dataset_variant, format, op, 1, '{}', NULL
    FROM compression_times`)
  writeLines(cwd, 'results.jsonl', [query(), access()])
  t.equal((await verify(cwd, database)).code, 0)
  const { code, stdout } = await verify(cwd, database, '--extra')
  t.equal(code, 4)
  t.match(
    stdout,
    `compression_time ${await idOf(time())} is stored for this commit, but no line names it\n` +
      'different: 1 difference in 2 measurements against ',
  )
})

t.test('of several lines for one measurement the last one is compared, over files too', async t => {
  const cwd = t.testdir({})
  const lines = [query({ value_ns: 1 }), query({ value_ns: 2 })]
  const database = await pushed(cwd, lines)
  t.match((await verify(cwd, database)).stdout, /^verified: 1 measurement in /)

  writeLines(cwd, 'more.jsonl', [query({ value_ns: 3 })])
  const both = ['verify', 'results.jsonl', 'more.jsonl', '--postgres', database.url]
  const { code, stdout } = await runCli(both, { cwd })
  t.equal(code, 4)
  t.match(stdout, /^more\.jsonl:1: .* \/value_ns is "2" in the database and "3" in the file\n/)
})

t.test('many rows are compared, from a compressed file and from standard input', async t => {
  const cwd = t.testdir({})
  const lines = manyQueries(9_000)
  const database = await pushed(cwd, lines)
  await database.sql('UPDATE query_measurements SET value_ns = 1 WHERE query_idx IN (0, 8999)')
  writeFileSync(join(cwd, 'results.gz'), gzipSync(jsonl(lines)))
  for (const [name, options] of [
    ['results.gz', {}],
    ['-', { stdin: readFileSync(join(cwd, 'results.jsonl')) }],
  ] as const) {
    const { code, stdout } = await runCli(['verify', name, '--postgres', database.url], { cwd, ...options })
    t.equal(code, 4)
    t.strictSame(
      stdout.split('\n').map(line => /^[^ ]+:(\d+): /.exec(line)?.[1]),
      ['1', '9000', undefined, undefined],
    )
    t.match(stdout, /\ndifferent: 2 differences in 9,000 measurements against /)
  }
})

t.test('a bad line means nothing is compared', async t => {
  const cwd = t.testdir({})
  const database = await pushed(cwd, [query()])
  writeLines(cwd, 'results.jsonl', [query({ value_ns: 130 }), '{}'])
  const { code, stdout, stderr } = await verify(cwd, database)
  t.strictSame([code, stdout], [65, ''])
  t.match(
    stderr,
    /^error: results\.jsonl:2 \(byte \d+\): \/kind is missing \(missing_field\)\nerror: nothing was compared: 1 line rejected\n$/,
  )
})

t.test('the JSON report matches its published schema', async t => {
  const cwd = t.testdir({})
  const database = await pushed(cwd, [query(), search()])
  const same = await verify(cwd, database, '--format', 'json')
  t.strictSame([same.code, same.stderr], [0, ''])
  t.match(JSON.parse(same.stdout), { differences: [], exit_code: 0, compared: 2, different: 0, rejected: 0 })
  t.strictSame(schemaErrors('verify-report', same.stdout), [])

  await database.sql('UPDATE query_measurements SET engine = NULL WHERE false; DELETE FROM vector_search_runs')
  const { code, stdout } = await verify(cwd, database, '--format', 'json')
  t.equal(code, 4)
  t.strictSame(schemaErrors('verify-report', stdout), [])
  t.match(JSON.parse(stdout), {
    exit_code: 4,
    differences: [
      {
        ...{ source: 'results.jsonl', line: 2, kind: 'vector_search_run', measurement_id: await idOf(search()) },
        ...{ code: 'missing', message: 'is not stored' },
      },
    ],
  })
})

/** Lines of contract version 3: two that version 1 can tell apart, and one that it cannot. */
const version3 = (): readonly string[] => [
  size({ uncompressed_bytes: 16_384 }),
  access({ open_mode: 'cached' }),
  access({ open_mode: 'reopen' }),
]

t.test('a database of version 1 is compared with a file of version 3 as far as it can hold it', async t => {
  const cwd = t.testdir({})
  const database = await pushed(cwd, version3())
  await database.sql(`DELETE FROM random_access_times WHERE open_mode = 'reopen'; ${olderTables(1).join('; ')}`)
  const { code, stdout, stderr } = await verify(cwd, database)
  t.strictSame([code, stderr], [0, ''])
  const where = `postgres://bench_ingest@127.0.0.1:${server.port}/${database.name}`
  const target = 'the target is at contract version 1, which has no'
  t.equal(
    stdout,
    [
      `verified: 2 measurements in ${where} are as the file says, as far as they can be compared`,
      `not compared: uncompressed_bytes of 1 compression_size record: ${target} such field`,
      `not compared: 1 random_access_time record: ${target} open_mode`,
      '',
    ].join('\n'),
  )
  const { stdout: document } = await verify(cwd, database, '--format', 'json')
  t.strictSame(schemaErrors('verify-report', document), [])
  t.match(JSON.parse(document), {
    ...{ exit_code: 0, target_version: 1, compared: 2, different: 0 },
    not_compared: {
      fields: [{ kind: 'compression_size', field: 'uncompressed_bytes', records: 1, missing_in: 'target' }],
      records: [{ kind: 'random_access_time', field: 'open_mode', records: 1 }],
    },
  })
  await database.sql('UPDATE compression_sizes SET value_bytes = 1')
  t.equal((await verify(cwd, database)).code, 4)
})

t.test('fields that a file of version 1 does not have are not compared', async t => {
  const cwd = t.testdir({})
  const database = await pushed(cwd, version3())
  writeLines(cwd, 'results.jsonl', [size(), access()])
  const { code, stdout } = await verify(cwd, database)
  t.equal(code, 0)
  t.match(stdout, '\nnot compared: uncompressed_bytes of 1 compression_size record: the file does not have it\n')
})

t.test('a different database, an unreachable one and one without tables have different errors', async t => {
  const cwd = t.testdir({})
  writeLines(cwd, 'results.jsonl', [query()])
  const other = await createDatabase()
  t.equal((await verify(cwd, other)).code, 4)
  const bare = await server.createDatabase('bare')
  for (const [url, message] of [
    [server.url('nowhere'), /database "nowhere" does not exist\nhint: create it with CREATE DATABASE/],
    [bare, /relation "public\.commits" does not exist.*\nhint: .*vortex-ingest migrate/],
  ] as const) {
    const { code, stdout, stderr } = await verify(cwd, { url })
    t.strictSame([code, stdout], [78, ''])
    t.match(stderr, message)
  }
  const embedded = await runCli(['verify', 'results.jsonl'], { cwd })
  t.strictSame([embedded.code, embedded.stdout], [78, ''])
  t.equal(
    embedded.stderr,
    'error: there is no embedded database in .vortex-ingest\nhint: `vortex-ingest push …` makes one\n',
  )
})
