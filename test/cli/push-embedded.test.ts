import t from 'tap'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { runCli, startCli, untilDone, type CliOptions, type CliResult } from '../fixtures/cli.js'
import { ordinaryAccount } from './fixtures/account.js'
import { databaseCopies } from '../database/embedded/fixtures/folders.js'
import { COUNT_ROWS, countEmbeddedRows, queryEmbedded } from './fixtures/database.js'
import {
  COMMIT,
  SHA,
  jsonl,
  manyQueries,
  oneOfEach,
  query,
  search,
  token,
  writeCommit,
  writeLines,
} from '../fixtures/records.js'

const DEFAULT = '.vortex-ingest'
const copyDatabase = await databaseCopies()

function push(cwd: string, args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return runCli(['push', '--commit', writeCommit(cwd), ...args], { cwd, ...options })
}

t.test('without a target records go to .vortex-ingest in the current folder, and again is safe', async t => {
  const cwd = t.testdir({})
  const max = token('9223372036854775807')
  const text = 'a\tb\\N\n"👍🏽"'
  writeLines(cwd, 'results.jsonl', [
    ...oneOfEach(),
    query({ dataset: text, value_ns: max, all_runtimes_ns: [max] }),
    search({ threshold: token('-0.0') }),
    search({ threshold: token('-0.0'), value_ns: 12, all_runtimes_ns: [12] }),
  ])
  const first = await push(cwd, ['results.jsonl'])
  t.equal(first.code, 0, first.stderr)
  t.match(
    first.stdout,
    /^ingested 8 records of 0123456 into the embedded database in \.vortex-ingest \(7 inserted, 1 updated\) in /,
  )
  t.equal(first.stderr, '')

  const second = await push(cwd, ['results.jsonl', '--format', 'json'])
  t.equal(second.code, 0)
  t.match(JSON.parse(second.stdout), {
    ...{ target: 'the embedded database in .vortex-ingest', records: 8, inserted: 0, updated: 8, unchanged: 7 },
  })

  const [count, queries, searches] = await queryEmbedded(
    join(cwd, DEFAULT),
    COUNT_ROWS,
    `SELECT dataset, value_ns, all_runtimes_ns::text AS runtimes, commit_timestamp::text AS at FROM query_measurements
     ORDER BY value_ns DESC LIMIT 1`,
    'SELECT threshold::text, value_ns FROM vector_search_runs WHERE threshold = 0',
  )
  t.strictSame(count, [{ rows: 7 }])
  t.strictSame(queries, [
    { dataset: text, value_ns: '9223372036854775807', runtimes: '{9223372036854775807}', at: '2026-02-04 04:30:00+00' },
  ])
  t.strictSame(searches, [{ threshold: '-0', value_ns: '12' }])

  const verified = await runCli(['verify', 'results.jsonl', '--extra'], { cwd })
  t.equal(verified.code, 0)
  t.equal(verified.stdout, 'verified: 7 measurements in the embedded database in .vortex-ingest are as the file says\n')
})

t.test('an empty file still upserts the row of its commit, in the folder that --embedded names', async t => {
  const cwd = t.testdir({ 'empty.jsonl': '' })
  const folder = copyDatabase(t)
  const { code, stdout, stderr } = await push(cwd, ['empty.jsonl', '--embedded', folder])
  t.equal(code, 0)
  t.match(stdout, `ingested 0 records of 0123456 into the embedded database in ${folder} (0 inserted, 0 updated) in `)
  t.equal(stderr, 'warning: empty.jsonl: holds no records (empty_input)\n')
  t.strictSame(await queryEmbedded(folder, 'SELECT commit_sha, message FROM commits'), [
    [{ commit_sha: SHA, message: COMMIT.message }],
  ])
  t.notOk(existsSync(join(cwd, DEFAULT)))
})

t.test('a dry run and bad data make no folder', async t => {
  const cwd = t.testdir({ 'good.jsonl': query(), 'bad.jsonl': jsonl([query(), '{}']) })
  t.equal((await push(cwd, ['good.jsonl', '--dry-run'])).code, 0)
  t.notOk(existsSync(join(cwd, DEFAULT)))
  const { code, stderr } = await push(cwd, ['bad.jsonl'])
  t.equal(code, 65)
  t.match(stderr, /error: nothing was sent: 1 line rejected in bad\.jsonl\n$/)
})

t.test('a concurrent push into the same folder fails with the process that holds it', async t => {
  const cwd = t.testdir({ 'first.jsonl': jsonl(oneOfEach()), 'second.jsonl': query({ query_idx: 2 }) })
  const folder = copyDatabase(t)
  const first = startCli(['push', '--commit', writeCommit(cwd), 'first.jsonl', '--embedded', folder], { cwd })
  await untilDone(first, () => existsSync(join(folder, 'db.lock')))
  const { code, stdout, stderr } = await push(cwd, ['second.jsonl', '--embedded', folder])
  t.strictSame([code, stdout], [69, ''])
  t.match(stderr, `error: the embedded database in ${folder} is in use by process ${first.pid} (since `)
  t.match(
    stderr,
    /\)\nhint: wait for it to finish, or use another folder; if it is `serve`, stop it or push to it with --server\n$/,
  )
  t.equal((await first.result).code, 0)
  t.equal((await push(cwd, ['second.jsonl', '--embedded', folder])).code, 0)
  t.equal(await countEmbeddedRows(folder), 6)
})

t.test('a folder that cannot be written is refused by name', async t => {
  const account = await ordinaryAccount(t)
  if (account === undefined) return
  const cwd = t.testdir({ 'one.jsonl': query(), 'read-only': {}, file: '' })
  await chmod(join(cwd, 'read-only'), 0o555)
  for (const [folder, message] of [
    [
      'read-only',
      /^error: the folder of the embedded database read-only cannot be written: EACCES: .*\nhint: check who owns it/,
    ],
    [
      'read-only/new',
      /^error: the folder of the embedded database read-only\/new cannot be written: EACCES: .*\nhint: check who owns it/,
    ],
    ['file', /^error: the folder of the embedded database file is not a folder: .*\nhint: use another path\n$/],
  ] as const) {
    const { code, stdout, stderr } = await push(cwd, ['one.jsonl', '--embedded', folder], account)
    t.equal(code, 78, folder)
    t.equal(stdout, '')
    t.match(stderr, message)
  }
  t.strictSame(readdirSync(join(cwd, 'read-only')), [])
})

t.test('a folder that is no database is refused and left as it is', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  mkdirSync(join(cwd, 'mine', 'db'), { recursive: true })
  const { code, stderr } = await push(cwd, ['one.jsonl', '--embedded', 'mine'])
  t.equal(code, 78)
  t.match(
    stderr,
    /^error: cannot start the embedded database in mine\/db: .* PG_VERSION is missing\nhint: move it away, then push again/,
  )
  t.strictSame(readdirSync(join(cwd, 'mine', 'db')), [])
})

t.test('kill -9 at any moment loses nothing that landed, and the next push completes it, every row once', async t => {
  const lines = manyQueries(12_000)
  const [before, during] = [lines.slice(0, 6_000), lines.slice(6_000)]
  const cwd = t.testdir({ 'before.jsonl': jsonl(before), 'during.jsonl': jsonl(during) })
  const folder = copyDatabase(t)
  const startedAt = Date.now()
  t.equal((await push(cwd, ['before.jsonl', '--embedded', folder])).code, 0)
  const wholeMs = Date.now() - startedAt

  for (const part of [0.4, 0.8, 1]) {
    const { child, result } = startCli(['push', '--commit', writeCommit(cwd), 'during.jsonl', '--embedded', folder], {
      cwd,
    })
    await setTimeout(wholeMs * part)
    child.kill('SIGKILL')
    await result
  }
  const count = await countEmbeddedRows(folder)
  t.ok(count === before.length || count === lines.length, `${count} rows after the kills`)
  t.equal((await push(cwd, ['during.jsonl', '--embedded', folder])).code, 0)
  const verified = await runCli(['verify', 'before.jsonl', 'during.jsonl', '--extra', '--embedded', folder], { cwd })
  t.equal(verified.code, 0, verified.stdout)
  t.match(verified.stdout, /^verified: 12,000 measurements in /)
})
