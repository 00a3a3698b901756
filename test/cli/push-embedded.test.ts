import t from 'tap'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { runCli, startCli, untilDone, type CliOptions, type CliResult } from '../fixtures/cli.js'
import { ordinaryAccount } from './fixtures/account.js'
import { countEmbeddedRows, queryEmbedded } from './fixtures/embedded.js'
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
} from './fixtures/records.js'

const DEFAULT = '.vortex-ingest'

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
    search({ threshold: token('-0.0'), value_ns: 12 }),
  ])
  const first = await push(cwd, ['results.jsonl'])
  t.equal(first.code, 0, first.stderr)
  t.match(
    first.stdout,
    /^ingested 8 records of 5d1f0c3 into the embedded database in \.vortex-ingest \(7 inserted, 1 updated\) in /,
  )
  t.equal(first.stderr, '')

  const second = await push(cwd, ['results.jsonl', '--format', 'json'])
  t.equal(second.code, 0)
  t.match(JSON.parse(second.stdout), {
    ...{ target: 'the embedded database in .vortex-ingest', records: 8, inserted: 0, updated: 8, unchanged: 7 },
  })

  const folder = join(cwd, DEFAULT)
  t.equal(await countEmbeddedRows(folder), 7)
  t.strictSame(
    await queryEmbedded(
      folder,
      `SELECT dataset, value_ns, all_runtimes_ns::text AS runtimes, commit_timestamp::text AS at FROM query_measurements
       ORDER BY value_ns DESC LIMIT 1`,
    ),
    [
      {
        dataset: text,
        value_ns: '9223372036854775807',
        runtimes: '{9223372036854775807}',
        at: '2026-02-04 04:30:00+00',
      },
    ],
  )
  t.strictSame(
    await queryEmbedded(folder, 'SELECT threshold::text, value_ns FROM vector_search_runs WHERE threshold = 0'),
    [{ threshold: '-0', value_ns: '12' }],
  )

  const verified = await runCli(['verify', 'results.jsonl', '--extra'], { cwd })
  t.equal(verified.code, 0)
  t.equal(verified.stdout, 'verified: 7 measurements in the embedded database in .vortex-ingest are as the file says\n')
})

t.test('an empty file still upserts the row of its commit, in the folder that --embedded names', async t => {
  const cwd = t.testdir({ 'empty.jsonl': '' })
  const { code, stdout, stderr } = await push(cwd, ['empty.jsonl', '--embedded', 'my results'])
  t.equal(code, 0)
  t.match(
    stdout,
    /^ingested 0 records of 5d1f0c3 into the embedded database in my results \(0 inserted, 0 updated\) in /,
  )
  t.equal(stderr, 'warning: empty.jsonl: holds no records (empty_input)\n')
  t.strictSame(await queryEmbedded(join(cwd, 'my results'), 'SELECT commit_sha, message FROM commits'), [
    { commit_sha: SHA, message: COMMIT.message },
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

t.test('a second push into one folder at the same time is told which process has it', async t => {
  const cwd = t.testdir({ 'first.jsonl': jsonl(oneOfEach()), 'second.jsonl': query({ query_idx: 2 }) })
  const first = startCli(['push', '--commit', writeCommit(cwd), 'first.jsonl'], { cwd })
  await untilDone(first, () => existsSync(join(cwd, DEFAULT, 'db.lock')))
  const { code, stdout, stderr } = await push(cwd, ['second.jsonl'])
  t.equal(code, 69)
  t.equal(stdout, '')
  t.match(
    stderr,
    new RegExp(
      `^error: the embedded database in \\.vortex-ingest is in use by process ${first.pid} \\(since .*\\)\n` +
        'hint: wait for it to finish, or use another folder\n$',
    ),
  )
  t.equal((await first.result).code, 0)
  t.equal((await push(cwd, ['second.jsonl'])).code, 0)
  t.equal(await countEmbeddedRows(join(cwd, DEFAULT)), 6)
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
    /^error: cannot start the embedded database in mine\/db: it has no PG_VERSION, .*\nhint: move it away, then push again/,
  )
  t.strictSame(readdirSync(join(cwd, 'mine', 'db')), [])
})

t.test('kill -9 at any moment loses nothing that landed, and the next push completes it, every row once', async t => {
  const cwd = t.testdir({})
  const lines = manyQueries(20_000)
  writeLines(cwd, 'before.jsonl', lines.slice(0, 10_000))
  writeLines(cwd, 'results.jsonl', lines.slice(10_000))
  t.equal((await push(cwd, [])).code, 0, 'the folder is there')
  const startedAt = Date.now()
  t.equal((await push(cwd, ['before.jsonl'])).code, 0)
  const wholeMs = Date.now() - startedAt

  const counts: number[] = []
  for (const part of [0.3, 0.7, 0.95]) {
    const { child, result } = startCli(['push', '--commit', writeCommit(cwd), 'results.jsonl'], { cwd })
    await setTimeout(wholeMs * part)
    child.kill('SIGKILL')
    await result
    counts.push(await countEmbeddedRows(join(cwd, DEFAULT)))
  }
  const isWhole = (count: number): boolean => count === 10_000 || count === 20_000
  t.ok(counts.every(isWhole), `all or nothing after each kill: ${counts.join(', ')}`)
  t.equal((await push(cwd, ['results.jsonl'])).code, 0)
  const verified = await runCli(['verify', 'before.jsonl', 'results.jsonl', '--extra'], { cwd })
  t.equal(verified.code, 0, verified.stdout)
  t.match(verified.stdout, /^verified: 20,000 measurements/)
})
