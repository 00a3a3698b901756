/** `export` from databases and servers: what comes out goes back in, and files appear complete or not at all. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli, startCli, untilDone, type CliResult } from '../fixtures/cli.js'
import { AWS_ENVIRONMENT, findMoto, NO_MOTO, startMoto } from '../fixtures/moto.js'
import { Random, SEED } from '../fixtures/random.js'
import { access, COMMIT, jsonl, manyQueries, plainLine, query, SHA, size, writeCommit } from '../fixtures/records.js'
import { queryDuckDb, readWithDuckDb } from '../fixtures/table-readers.js'
import { FACTS, startMigratedPostgres, type Database } from './fixtures/database.js'
import { startServe } from './fixtures/serve.js'

const OTHER = { ...COMMIT, sha: 'f'.repeat(40), timestamp: '2025-01-01T00:00:00Z' }
const { server, createDatabase } = await startMigratedPostgres(t)
await server.sql(`ALTER ROLE bench_read PASSWORD '${server.password}'`)

const readerOf = ({ name }: Database): string => server.url(name, 'bench_read')

async function run(cwd: string, ...args: readonly string[]): Promise<CliResult> {
  return runCli(args, { cwd, env: AWS_ENVIRONMENT })
}

async function pushed(
  cwd: string,
  lines: readonly string[],
  target: readonly string[],
  commit = COMMIT,
): Promise<string> {
  const file = `${commit.sha.slice(0, 7)}.jsonl`
  writeFileSync(join(cwd, file), jsonl(lines))
  const result = await run(cwd, 'push', file, '--commit', writeCommit(cwd, commit), ...target)
  if (result.code !== 0) throw new Error(result.stderr)
  return file
}

async function idsOf(cwd: string, file: string): Promise<readonly string[]> {
  const { stdout } = await run(cwd, 'id', file)
  return [...new Set(stdout.split('\n').map(line => line.split(/\s/)[0]!))].sort()
}

async function contentOf({ sql }: Pick<Database, 'sql'>): Promise<readonly unknown[]> {
  const tables = [...FACTS, 'commits'].map(table => sql(`SELECT t::text AS row FROM ${table} AS t ORDER BY 1`))
  return Promise.all(tables)
}

t.test(`random records of Postgres go back in with the same ids and values (TEST_SEED=${SEED})`, async t => {
  const cwd = t.testdir({})
  const random = new Random()
  const [from, to] = [await createDatabase(), await createDatabase()]
  const file = await pushed(
    cwd,
    Array.from({ length: 400 }, () => plainLine(random)),
    ['--postgres', from.url],
  )
  const exported = await run(cwd, 'export', '--postgres', readerOf(from), '--commit', SHA, '--output', 'out.jsonl')
  t.match(exported, { code: 0, stdout: /^exported \d+ records to out\.jsonl\n$/ }, exported.stderr)
  t.strictSame(await idsOf(cwd, 'out.jsonl'), await idsOf(cwd, file))
  const back = await run(cwd, 'push', 'out.jsonl', '--commit', writeCommit(cwd), '--postgres', to.url)
  t.equal(back.code, 0, back.stderr)
  t.strictSame(await contentOf(to), await contentOf(from))
})

t.test('filters choose records, in every format, from Postgres, the embedded database and a server', async t => {
  const cwd = t.testdir({})
  const database = await createDatabase()
  for (const target of [
    ['--postgres', database.url],
    ['--embedded', 'store'],
  ]) {
    await pushed(cwd, [query({ dataset: 'a' }), query({ dataset: 'b' }), size()], target)
    await pushed(cwd, [query({ dataset: 'a', commit_sha: OTHER.sha })], target, OTHER)
  }
  const serving = await startServe(['--store', join(cwd, 'store')], { cwd })
  t.teardown(() => serving.cli.child.kill('SIGTERM'))
  const sources = [
    ['--postgres', readerOf(database)],
    ['--server', serving.url],
  ]
  const filters: readonly (readonly [readonly string[], number])[] = [
    [[], 4],
    [['--commit', OTHER.sha], 1],
    [['--since', '2026-01-01'], 3],
    [['--until', '2026-01-01T00:00:00Z'], 1],
    [['--kind', 'compression_size'], 1],
    [['--group', 'query_measurement.a.~.1.nvme'], 2],
    [['--group', 'query_measurement.a.~.1.nvme', '--since', '2026-01-01'], 1],
  ]
  for (const source of sources)
    for (const [filter, count] of filters) {
      const { code, stdout, stderr } = await run(cwd, 'export', ...source, ...filter)
      t.equal(code, 0, stderr)
      t.equal(stdout.split('\n').length - 1, count, `${source[0]} ${filter.join(' ')}`)
    }
  for (const [index, source] of sources.entries()) {
    const done = await run(cwd, 'export', ...source, '--format', 'parquet', '--output', `tables${index}`)
    t.equal(done.code, 0, done.stderr)
    t.strictSame(
      readdirSync(join(cwd, `tables${index}`)).sort(),
      [...FACTS, 'commits'].map(table => `${table}.parquet`).sort(),
    )
    const commits = await readWithDuckDb(join(cwd, `tables${index}`, 'commits.parquet'))
    t.strictSame(
      commits.map(([sha, time, message]) => [sha, time, message]).sort(),
      [
        [SHA, '2026-02-04 04:30:00+00', COMMIT.message],
        [OTHER.sha, '2025-01-01 00:00:00+00', COMMIT.message],
      ].sort(),
    )
    const [joined] = await queryDuckDb(
      `SELECT count(*)::VARCHAR FROM '${cwd}/tables${index}/query_measurements.parquet' JOIN '${cwd}/tables${index}/commits.parquet' USING (commit_sha)`,
    )
    t.strictSame(joined, ['3'])
  }
  const csv = await run(cwd, 'export', ...sources[0]!, '--kind', 'compression_size', '--format', 'csv')
  t.match(csv.stdout, /^measurement_id,commit_sha,dataset,[^\n]*\r\n-?\d+,0123[^\n]*,4096,\r\n$/)
})

t.test('records of several contract versions are exported with a warning', async t => {
  const cwd = t.testdir({})
  await pushed(cwd, [size()], ['--embedded', 'store'])
  await pushed(cwd, [access({ open_mode: 'reopen' })], ['--embedded', 'store'])
  const { code, stdout, stderr } = await run(cwd, 'export', '--embedded', 'store')
  t.equal(code, 0)
  t.equal(stdout.split('\n').length, 3)
  t.match(stderr, /warning: the records are of several contract versions/)
})

const [sizeOf, queries] = [4_000, manyQueries(4_000)]

t.test('a kill, a full disk, a closed pipe and two exports at once leave a whole result or none', async t => {
  const cwd = t.testdir({ out: { 'kept.txt': 'kept' } })
  const database = await createDatabase()
  await pushed(cwd, queries, ['--postgres', database.url])
  const from = ['export', '--postgres', readerOf(database)]
  const whole = (await run(cwd, ...from)).stdout
  t.equal(whole.split('\n').length, sizeOf + 1)

  for (const [format, output] of [
    ['jsonl', 'killed.jsonl'],
    ['parquet', 'killed'],
  ] as const) {
    const lock = database.sql(`BEGIN; LOCK TABLE compression_times; SELECT pg_sleep(600)`).catch(() => undefined)
    const cli = startCli([...from, '--format', format, '--output', output], { cwd })
    // The records of the first kind are written by then, and the lock on the second kind's table holds the export up.
    await untilDone(cli, async () => {
      const [waiting] = await database.sql(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'bench_read' AND wait_event_type = 'Lock'`,
      )
      return waiting?.['n'] === 1
    })
    t.ok(readdirSync(cwd).some(name => name.startsWith(`.${output}.`)))
    cli.child.kill('SIGKILL')
    await cli.result
    t.notOk(existsSync(join(cwd, output)), `${format}: nothing at the final name`)
    await database.sql(
      `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()`,
    )
    await lock
    const again = await run(cwd, ...from, '--format', format, '--output', output)
    t.equal(again.code, 0, again.stderr)
  }
  t.equal(readFileSync(join(cwd, 'killed.jsonl'), 'utf8'), whole)

  const two = await Promise.all([1, 2].map(() => run(cwd, ...from, '--output', 'both.jsonl')))
  t.strictSame(
    two.map(({ code }) => code),
    [0, 0],
  )
  t.equal(readFileSync(join(cwd, 'both.jsonl'), 'utf8'), whole)
  const folders = await Promise.all([1, 2].map(() => run(cwd, ...from, '--format', 'csv', '--output', 'both')))
  t.strictSame(folders.map(({ code }) => code).sort(), [0, 78])
  t.equal(readdirSync(join(cwd, 'both')).length, 6)
  const taken = await run(cwd, ...from, '--format', 'csv', '--output', 'out')
  t.match(taken, { code: 78, stderr: /out exists and is not replaced\nhint: name a new folder/ })

  const limited = ['/bin/sh', '-c', 'trap "" XFSZ; ulimit -f 64; exec "$@"', 'sh']
  for (const [format, output] of [
    ['jsonl', 'full.jsonl'],
    ['csv', 'full'],
  ] as const) {
    const full = await runCli([...from, '--format', format, '--output', output], { cwd, under: limited })
    t.match(full, { code: 69, stderr: /^error: cannot write the records .*full.*: EFBIG/ })
    t.notOk(existsSync(join(cwd, output)))
  }
  t.strictSame(
    readdirSync(cwd).filter(name => name.startsWith('.full')),
    [],
    'nothing is left over',
  )

  const head = startCli(from, { cwd })
  head.child.stdout?.once('data', () => head.child.stdout?.destroy())
  t.equal((await head.result).code, 0)
})

t.test('a bucket', async t => {
  const python = await findMoto()
  if (python === undefined) return void t.pass('S3', { skip: NO_MOTO })
  const moto = await startMoto(t, python)
  const [cwd, place] = [t.testdir({}), `s3://${await moto.createBucket()}`]
  const parameters = `?endpoint=${moto.endpoint}&path-style=true&region=us-east-1`
  await pushed(cwd, queries, ['--embedded', 'store'])
  const one = await run(cwd, 'export', '--embedded', 'store', '--output', `${place}/a/records.jsonl${parameters}`)
  t.equal(one.code, 0, one.stderr)
  const local = await run(cwd, 'export', '--embedded', 'store')
  const { openBucketStorage } = await import('../../src/storage/open-storage.js')
  const { parseStorageAddress } = await import('../../src/storage/address.js')
  const bucket = await openBucketStorage(parseStorageAddress(`${place}${parameters}`))
  t.teardown(() => bucket.close())
  t.equal((await bucket.get('a/records.jsonl'))?.toString(), local.stdout)
  const tables = ['export', '--embedded', 'store', '--format', 'parquet', '--output', `${place}/tables${parameters}`]
  t.equal((await run(cwd, ...tables)).code, 0)
  const keys = (await bucket.list('tables/')).objects.map(({ key }) => key)
  t.strictSame(
    keys,
    ['_SUCCESS', ...[...FACTS, 'commits'].map(table => `${table}.parquet`)].map(name => `tables/${name}`).sort(),
  )
  mkdirSync(join(cwd, 'copy'))
  writeFileSync(join(cwd, 'copy', 'q.parquet'), (await bucket.get('tables/query_measurements.parquet'))!)
  t.equal((await readWithDuckDb(join(cwd, 'copy', 'q.parquet'))).length, sizeOf)
  t.match(await run(cwd, ...tables), { code: 78, stderr: /there are objects below s3:/ })
})
