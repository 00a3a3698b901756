import t from 'tap'
import { appendFileSync, renameSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { runCli, startCli, temporaryFiles, untilDone, type CliOptions, type CliResult } from '../fixtures/cli.js'
import { startTcpProxy } from '../fixtures/tcp-proxy.js'
import { startMigratedPostgres } from './fixtures/database.js'
import {
  COMMIT,
  SHA,
  access,
  jsonl,
  manyQueries,
  oneOfEach,
  query,
  size,
  time,
  writeCommit,
  writeLines,
} from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'

const { server, createDatabase } = await startMigratedPostgres(t)

/** A push that takes its commit from a file, so that it needs no git. */
function push(cwd: string, args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return runCli(['push', '--commit', writeCommit(cwd), ...args], { cwd, ...options })
}

t.test('a second push of the same file changes nothing and reports the rows as unchanged', async t => {
  const cwd = t.testdir({ 'results.jsonl': jsonl(oneOfEach()) })
  const { url, sql } = await createDatabase()
  await push(cwd, ['results.jsonl', '--postgres', url])
  const versions = 'SELECT xmin::text, ctid::text FROM query_measurements'
  const before = await sql(versions)

  const { code, stdout } = await push(cwd, ['results.jsonl', '--postgres', url])
  t.equal(code, 0)
  t.match(stdout, /^ingested 5 records of 0123456 into .* \(0 inserted, 5 updated, 5 of them unchanged\) in /)
  t.strictSame(await sql(versions), before)
})

t.test('several pushes of one file at once all succeed, and every row is there once', async t => {
  const cwd = t.testdir({ 'results.jsonl': jsonl([...manyQueries(500), ...oneOfEach().slice(1)]) })
  const { url, countRows } = await createDatabase()
  const pushes = Array.from({ length: 4 }, () => push(cwd, ['results.jsonl', '--postgres', url, '--format', 'json']))
  const reports = (await Promise.all(pushes)).map(({ stdout }) => JSON.parse(stdout) as Record<string, number>)
  t.strictSame(
    reports.map(({ exit_code, records }) => [exit_code, records]),
    Array.from({ length: 4 }, () => [0, 504]),
  )
  t.equal(
    reports.reduce((all, { inserted = 0 }) => all + inserted, 0),
    504,
  )
  t.equal(await countRows(), 504)
})

t.test('a changed value replaces the one that is stored, and only that row is written', async t => {
  const cwd = t.testdir({})
  const { url, sql } = await createDatabase()
  writeLines(cwd, 'results.jsonl', [query(), time()])
  await push(cwd, ['results.jsonl', '--postgres', url])
  writeLines(cwd, 'results.jsonl', [query({ value_ns: 5, env_triple: 'x' }), time(), size()])
  const { stdout } = await push(cwd, ['results.jsonl', '--postgres', url, '--format', 'json'])
  t.match(JSON.parse(stdout), { records: 3, inserted: 1, updated: 2, unchanged: 1 })
  t.strictSame(await sql('SELECT value_ns, env_triple FROM query_measurements'), [{ value_ns: '5', env_triple: 'x' }])
})

t.test('of two lines for one measurement the last one wins, and it counts as updated', async t => {
  const cwd = t.testdir({
    'twice.jsonl': jsonl([query({ value_ns: 1 }), query({ query_idx: 2 }), query({ value_ns: 3 })]),
  })
  const { url, sql } = await createDatabase()
  const { code, stdout } = await push(cwd, ['twice.jsonl', '--postgres', url, '--format', 'json'])
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { records: 3, inserted: 2, updated: 1, unchanged: 0 })
  t.strictSame(await sql('SELECT value_ns FROM query_measurements WHERE query_idx = 1'), [{ value_ns: '3' }])
})

t.test('--dry-run checks and connects to nothing', async t => {
  const cwd = t.testdir({ 'results.jsonl': jsonl(oneOfEach()), 'bad.jsonl': '{}\n' })
  const proxy = await startTcpProxy(t, { port: server.port })
  const dsn = server.url().replace(`:${server.port}/`, `:${proxy.port}/`)
  const { code, stdout, stderr } = await push(cwd, ['results.jsonl', '--dry-run', '--postgres', dsn])
  t.equal(code, 0)
  t.equal(stdout, 'dry run: 5 records of 0123456 would be sent; nothing was\n')
  t.equal(stderr, '')
  t.equal(proxy.forwarded.up, 0)
  const bad = await push(cwd, ['bad.jsonl', '--dry-run', '--postgres', dsn])
  t.equal(bad.code, 65)
  t.equal(proxy.forwarded.up, 0)
})

t.test('an empty file still upserts the row of its commit', async t => {
  const cwd = t.testdir({ 'empty.jsonl': '' })
  const { url, sql, countRows } = await createDatabase()
  const { code, stdout, stderr } = await push(cwd, ['empty.jsonl', '--postgres', url])
  t.equal(code, 0)
  t.match(stdout, /^ingested 0 records of 0123456 into .* \(0 inserted, 0 updated\) in /)
  t.equal(stderr, 'warning: empty.jsonl: holds no records (empty_input)\n')
  t.strictSame(await sql('SELECT commit_sha, message FROM commits'), [{ commit_sha: SHA, message: COMMIT.message }])
  t.equal(await countRows(), 0)

  const renamed = writeCommit(cwd, { ...COMMIT, message: 'Another subject' })
  t.equal((await runCli(['push', 'empty.jsonl', '--commit', renamed, '--postgres', url], { cwd })).code, 0)
  t.strictSame(await sql('SELECT message FROM commits'), [{ message: 'Another subject' }])
})

t.test('standard input is pushed too, plain or compressed, and leaves no temporary file', async t => {
  const cwd = t.testdir({})
  const { url, countRows } = await createDatabase()
  for (const [args, stdin] of [
    [['-'], jsonl([query()])],
    [[], gzipSync(jsonl([time()]))],
    [['-'], size()],
  ] as const) {
    const { code, stdout, stderr } = await push(cwd, [...args, '--postgres', url], { stdin })
    t.equal(code, 0, stderr)
    t.match(stdout, /^ingested 1 record of 0123456 into .* \(1 inserted, 0 updated\) in /)
    t.equal(stderr, '')
  }
  t.equal(await countRows(), 3)
  t.strictSame(temporaryFiles(), [])
})

t.test('every file is a transaction of its own', async t => {
  const cwd = t.testdir({ 'a.jsonl': jsonl([query(), time()]), 'b.jsonl': jsonl([size(), access()]) })
  const { url, sql } = await createDatabase()
  const { code, stdout } = await push(cwd, ['a.jsonl', 'b.jsonl', '--postgres', url, '--format', 'json'])
  t.equal(code, 0)
  t.match(JSON.parse(stdout), {
    chunks: 2,
    records: 4,
    inserted: 4,
    files: [{ source: 'a.jsonl' }, { source: 'b.jsonl' }],
  })
  const transactions = (await sql(`
    SELECT xmin::text FROM query_measurements UNION ALL SELECT xmin::text FROM compression_times UNION ALL
    SELECT xmin::text FROM compression_sizes UNION ALL SELECT xmin::text FROM random_access_times`)) as {
    xmin: string
  }[]
  const [first, second, third, fourth] = transactions.map(({ xmin }) => xmin)
  t.equal(first, second)
  t.equal(third, fourth)
  t.not(first, third)
})

t.test('a bad line in the second file keeps the first from landing, too', async t => {
  const cwd = t.testdir({ 'a.jsonl': jsonl(oneOfEach()), 'b.jsonl': jsonl([query(), query({ storage: 'gcs' })]) })
  const { url, sql, countRows } = await createDatabase()
  const { code, stdout, stderr } = await push(cwd, ['a.jsonl', 'b.jsonl', '--postgres', url])
  t.equal(code, 65)
  t.equal(stdout, '')
  t.equal(
    stderr,
    `error: b.jsonl:2 (byte ${query().length + 1}): /storage must be one of nvme, s3, got "gcs" (bad_value)\n` +
      'error: nothing was sent: 1 line rejected in b.jsonl\n',
  )
  t.equal(await countRows(), 0)
  t.strictSame(await sql('SELECT * FROM commits'), [])
})

t.test('not a byte of a record leaves before every line has been checked', async t => {
  const cwd = t.testdir({})
  writeLines(cwd, 'large.jsonl', [...manyQueries(50_000), '{"kind":"query_measurement"}'])
  const { url, countRows } = await createDatabase()
  const proxy = await startTcpProxy(t, { port: server.port })
  const { code, stdout, stderr } = await push(cwd, ['large.jsonl', '--postgres', throughProxy(url, proxy.port)])
  t.equal(code, 65)
  t.equal(stdout, '')
  t.match(
    stderr,
    /^error: large\.jsonl:50001 \(byte \d+\): \/commit_sha is missing \(missing_field\)\nerror: nothing was sent: 1 line rejected/,
  )
  t.ok(proxy.forwarded.up < 4_000, `${proxy.forwarded.up} bytes went to the server`)
  t.equal(await countRows(), 0)
})

t.test('records of another commit than --commit-sha are refused', async t => {
  const other = 'f'.repeat(40)
  const cwd = t.testdir({ 'results.jsonl': jsonl(Array.from({ length: 30 }, (_, query_idx) => query({ query_idx }))) })
  const { url, countRows } = await createDatabase()
  const { code, stdout, stderr } = await push(cwd, ['results.jsonl', '--commit-sha', other, '--postgres', url])
  t.equal(code, 65)
  t.equal(stdout, '')
  const lines = stderr.trimEnd().split('\n')
  t.equal(lines[0], `error: results.jsonl:1 (byte 0): /commit_sha must be "${other}", got "${SHA}" (commit_mismatch)`)
  t.strictSame(lines.slice(20), [
    'error: nothing was sent: 30 lines rejected in results.jsonl',
    `hint: vortex-ingest validate results.jsonl --commit-sha ${other} --format json lists all of them`,
  ])
  t.equal(await countRows(), 0)
  t.equal((await push(cwd, ['results.jsonl', '--commit-sha', SHA, '--postgres', url])).code, 0)
})

t.test('a file that changes after it was checked lands not at all', async t => {
  // Enough for several COPYs, so that much is still to be read when the first is on its way.
  const lines = manyQueries(60_000)
  for (const [how, change] of [
    ['replaced', (path: string) => renameSync(path.replace('moving', 'other'), path)],
    ['longer', (path: string) => appendFileSync(path, `${size()}\n`)],
    ['shorter', (path: string) => truncateSync(path, 1_000)],
  ] as const)
    await t.test(how, async t => {
      const cwd = t.testdir({ 'moving.jsonl': jsonl(lines), 'other.jsonl': jsonl(lines) })
      const { url, countRows } = await createDatabase()
      const proxy = await startTcpProxy(t, { port: server.port })
      const through = throughProxy(url, proxy.port)
      const push = startCli(['push', 'moving.jsonl', '--commit', writeCommit(cwd), '--postgres', through], { cwd })
      await untilDone(push, () => proxy.forwarded.up > 400_000)
      change(join(cwd, 'moving.jsonl'))
      const { code, stdout, stderr } = await push.result
      t.strictSame([code, stdout], [65, ''])
      t.equal(
        stderr,
        'error: moving.jsonl changed while it was being read\n' +
          'hint: push it again after its writer has finished; with a state, a file may only grow during a push\n',
      )
      t.equal(await countRows(), 0)
    })
})

t.test('the JSON report matches its published schema, after success and failure', async t => {
  const cwd = t.testdir({ 'good.jsonl': jsonl(oneOfEach()), 'bad.jsonl': '{}\n'.repeat(30), 'empty.jsonl': '' })
  const { url } = await createDatabase()
  for (const [args, code] of [
    [['good.jsonl', 'empty.jsonl'], 0],
    [['good.jsonl', '--dry-run'], 0],
    [['good.jsonl', 'bad.jsonl'], 65],
  ] as const) {
    const { stdout, code: ended } = await push(cwd, [...args, '--postgres', url, '--format', 'json'])
    t.equal(ended, code)
    t.match(JSON.parse(stdout), { command: 'push', exit_code: code })
    t.strictSame(schemaErrors('push-report', stdout), [])
  }
  const down = await push(cwd, [
    'good.jsonl',
    '--postgres',
    'postgres://u:hush@127.0.0.1:1/d',
    '--retry-deadline',
    '0.001',
    '--format',
    'json',
  ])
  t.equal(down.code, 69)
  t.strictSame(schemaErrors('push-report', down.stdout), [])
  const failed = { code: 'target_unreachable', message: /connection refused/ }
  t.match(JSON.parse(down.stdout), { exit_code: 69, inserted: 0, failed, targets: [{ status: 'failed', failed }] })
})

t.test('the database may come from the environment, and a flag beats it', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const [first, second] = [await createDatabase(), await createDatabase()]
  const env = { VORTEX_INGEST_POSTGRES: first.url }
  t.equal((await push(cwd, ['one.jsonl'], { env })).code, 0)
  t.equal(await first.countRows(), 1)

  t.equal(
    (await push(cwd, ['one.jsonl', '--postgres', second.url], { env: { VORTEX_INGEST_POSTGRES: 'nonsense' } })).code,
    0,
  )
  t.equal(await second.countRows(), 1)
})

t.test('a switch in the environment that says no is off', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const { url, countRows } = await createDatabase()
  const env = { VORTEX_INGEST_DRY_RUN: 'false', VORTEX_INGEST_INSECURE_LOCAL: '0' }
  const { code, stdout, stderr } = await push(cwd, ['one.jsonl', '--postgres', url], { env })
  t.equal(code, 0, stderr)
  t.match(stdout, /^ingested 1 record/)
  t.equal(stderr, '')
  t.equal(await countRows(), 1)
})

function throughProxy(url: string, port: number): string {
  return url.replace(`:${server.port}/`, `:${port}/`)
}
