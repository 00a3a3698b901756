/** `copy` between real Postgres databases, an embedded database and a server. */

import t from 'tap'
import { runCli, temporaryFiles } from '../fixtures/cli.js'
import { COMMIT, writeCommit } from '../fixtures/records.js'
import { holding, startMigratedPostgres, type Row } from './fixtures/database.js'
import { contentOf, copy, createSource, dayOf, shaOf } from './fixtures/copying.js'
import { startServe, TOKEN } from './fixtures/serve.js'

const postgres = await startMigratedPostgres(t)
const COMMITS = 8
const source = await createSource(postgres, COMMITS, 50)
const content = await contentOf(source)

t.test('every value of every kind and version arrives, and a second copy changes nothing', async t => {
  const target = await postgres.createDatabase()
  const first = await copy(source.url, target.url)
  t.equal(first.code, 0, first.stderr + first.stdout)
  t.strictSame(await contentOf(target), content)
  t.match(first.stdout, /^copied 412 records of 8 commits from .*: 412 inserted, 0 updated/)
  t.match(first.stdout, /^verified: 412 records at the target are as at the source$/m)
  t.notMatch(first.stdout, postgres.server.password)
  const again = await copy(source.url, target.url, ['--format', 'json'])
  const { inserted, unchanged, verified } = JSON.parse(again.stdout) as Record<string, unknown>
  t.match({ inserted, unchanged, verified }, { inserted: 0, unchanged: 412, verified: { compared: 412, different: 0 } })
  t.strictSame(temporaryFiles(), [])
})

t.test('a part of the history is copied with all commits of that time', async t => {
  const target = await postgres.createDatabase()
  const { code, stderr } = await copy(source.url, target.url, [
    ...['--since', dayOf(2), '--until', dayOf(4), '--kind', 'query_measurement'],
  ])
  t.equal(code, 0, stderr)
  const commits = await target.sql('SELECT commit_sha FROM commits ORDER BY 1')
  t.strictSame(
    commits.map(({ commit_sha }) => commit_sha),
    [shaOf(2), shaOf(3)],
  )
  const [{ same } = {}] = await target.sql(`SELECT count(*)::int AS same FROM query_measurements`)
  const [{ rows } = {}] = await source.sql(
    `SELECT count(*)::int AS rows FROM query_measurements WHERE commit_sha IN ('${shaOf(2)}', '${shaOf(3)}')`,
  )
  t.equal(same, rows)
  t.equal(await target.countRows(), rows)
})

t.test('a copy goes into an embedded database, and from there into Postgres', async t => {
  const cwd = t.testdir()
  const laptop = await copy(source.url, 'laptop', ['--since', dayOf(6)], { cwd })
  t.equal(laptop.code, 0, laptop.stderr)
  const target = await postgres.createDatabase()
  const back = await copy('laptop', target.url, [], { cwd })
  t.equal(back.code, 0, back.stderr)
  const isCopied = ({ row }: Row): boolean => [shaOf(6), shaOf(7)].some(sha => String(row).includes(sha))
  t.strictSame(await contentOf(target), content.filter(isCopied))
})

t.test('a copy goes to a server', async t => {
  const cwd = t.testdir()
  const store = await postgres.createDatabase()
  const serving = await startServe(['--store', store.url], { cwd })
  const served = await copy(source.url, serving.url, ['--since', dayOf(7)], {
    cwd,
    env: { INGEST_BEARER_TOKEN: TOKEN },
  })
  t.equal(served.code, 0, served.stderr)
  t.match(served.stdout, /^verified: 50 records/m)
  const early = await copy(source.url, serving.url, [], { cwd, env: { INGEST_BEARER_TOKEN: TOKEN } })
  t.equal(early.code, 78, early.stderr)
})

t.test('a row with another id than its dimensions have is reported and not copied, unless ids are trusted', async t => {
  const damaged = await postgres.createDatabase(source)
  await damaged.sql(`UPDATE query_measurements SET dataset = dataset || '!' WHERE measurement_id IN
    (SELECT measurement_id FROM query_measurements ORDER BY 1 LIMIT 2)`)
  const target = await postgres.createDatabase()
  const { code, stdout, stderr } = await copy(damaged.url, target.url)
  t.equal(code, 4, stderr)
  t.match(stdout, /^query_measurements -?\d+: the id of its dimensions is -?\d+$/m)
  t.match(stdout, /^other ids: 2 rows with another id than their dimensions have: they were not copied$/m)
  t.match(stdout, /^verified: 410 records/m)
  t.equal(await target.countRows(), 410)
  const trusting = await copy(damaged.url, target.url, ['--trust-ids'])
  t.equal(trusting.code, 0, trusting.stderr)
  t.match(trusting.stdout, /^verified: 412 records/m)
  t.strictSame(await contentOf(target), await contentOf(damaged))
})

const FIRST = `(SELECT measurement_id FROM query_measurements ORDER BY commit_sha COLLATE "C", measurement_id LIMIT 1)`

const BAD: readonly (readonly [string, string, RegExp])[] = [
  [
    'a value of another type',
    `ALTER TABLE query_measurements ALTER value_ns TYPE text`,
    /error: query_measurements, column value_ns: the type text cannot be copied without loss/,
  ],
  [
    'NULL where none may be',
    `ALTER TABLE query_measurements ALTER value_ns DROP NOT NULL;
     UPDATE query_measurements SET value_ns = NULL WHERE measurement_id = ${FIRST}`,
    /error: query_measurements -?\d+, column value_ns: must be an integer, got null/,
  ],
  [
    'NULL in a list',
    `UPDATE query_measurements SET all_runtimes_ns = '{1,NULL}' WHERE measurement_id = ${FIRST}`,
    /error: query_measurements -?\d+, column all_runtimes_ns: .*must be an integer, got null/,
  ],
  [
    'a value that is not allowed',
    `UPDATE query_measurements SET storage = 'tape' WHERE measurement_id = ${FIRST}`,
    /error: query_measurements -?\d+, column storage: must be/,
  ],
  [
    'a missing column',
    'ALTER TABLE query_measurements DROP COLUMN engine',
    /error: query_measurements has no column engine/,
  ],
  ['a missing table', 'DROP TABLE vector_search_runs', /error: vector_search_runs has no column measurement_id/],
  [
    'a row without its commit',
    `DELETE FROM commits WHERE commit_sha = '${shaOf(3)}'`,
    new RegExp(`error: \\w+ -?\\d+: its commit_sha "${shaOf(3)}" is not in commits`),
  ],
  [
    'an impossible time',
    `UPDATE commits SET timestamp = 'infinity' WHERE commit_sha = '${shaOf(0)}'`,
    new RegExp(`error: commits ${shaOf(0)}, column timestamp: must be an RFC 3339 time`),
  ],
]

for (const [what, change, message] of BAD)
  t.test(`${what} is refused with its place, and nothing of that commit is copied`, async t => {
    const [bad, target] = [await postgres.createDatabase(source), await postgres.createDatabase()]
    await bad.sql(change)
    const { code, stderr } = await copy(bad.url, target.url)
    t.equal(code, 65, stderr)
    t.match(stderr, message)
    const copied = await target.sql(`SELECT DISTINCT commit_sha FROM query_measurements`)
    t.ok(copied.length <= 3)
    t.notOk(copied.some(({ commit_sha }) => commit_sha === shaOf(3)))
  })

t.test('a copy does not replace the values of a push', async t => {
  const target = await postgres.createDatabase()
  const [row] = await source.sql(
    `SELECT * FROM random_access_times WHERE dataset = 'version 3' ORDER BY commit_sha LIMIT 1`,
  )
  const { measurement_id: _, ...fields } = row!
  const cwd = t.testdir({
    'f.jsonl': JSON.stringify({ kind: 'random_access_time', ...fields, value_ns: 1, all_runtimes_ns: [1] }),
  })
  const commit = writeCommit(cwd, { ...COMMIT, sha: fields['commit_sha'], message: 'pushed' })
  const pushed = await runCli(['push', 'f.jsonl', '--postgres', target.url, '--commit', commit], { cwd })
  t.equal(pushed.code, 0, pushed.stderr)
  const { code, stdout, stderr } = await copy(source.url, target.url)
  t.equal(code, 0, stderr + stdout)
  t.match(stdout, /^1 record kept the values of a later push$/m)
  const [kept] = await target.sql(
    `SELECT value_ns::int, message FROM random_access_times JOIN commits USING (commit_sha) WHERE value_ns = 1`,
  )
  t.strictSame(kept, { value_ns: 1, message: 'pushed' })
  t.equal(await target.countRows(), 412)
})

t.test('a copy that is killed continues after what it has copied', async t => {
  const cwd = t.testdir()
  const big = await createSource(postgres, 60, 40)
  const target = await postgres.createDatabase()
  const args = ['--state', 'state', '--no-verify']
  // The copy waits in the middle, while everything before is stored.
  const free = holding(target, `INSERT INTO commits VALUES ('${shaOf(40)}', now(), '', '', '', '', '', '', '')`)
  const when = async (): Promise<boolean> =>
    Number((await target.sql('SELECT count(*) AS n FROM commits'))[0]?.['n']) >= 40
  const killed = await runCli(['copy', '--from', big.url, '--to', target.url, ...args], {
    ...{ cwd, signal: { name: 'SIGKILL', when } },
  })
  t.equal(killed.signal, 'SIGKILL')
  await free()
  const resumed = await copy(big.url, target.url, ['--state', 'state'], { cwd })
  t.equal(resumed.code, 0, resumed.stderr + resumed.stdout)
  t.strictSame(await contentOf(target), await contentOf(big))
  const repeated = await copy(big.url, target.url, [...args, '--format', 'json'], { cwd })
  t.match(JSON.parse(repeated.stdout), { continued_after: null, commits: 60, inserted: 0 })
})

t.test('two copies at once store everything once', async t => {
  const target = await postgres.createDatabase()
  const both = await Promise.all([copy(source.url, target.url), copy(source.url, target.url)])
  for (const { code, stderr, stdout } of both) t.equal(code, 0, stderr + stdout)
  t.strictSame(await contentOf(target), content)
})

t.test('dead places, wrong names and one place for both end with one clear error', async t => {
  const dead = `postgres://u:geheim@127.0.0.1:1/db`
  const cases: readonly (readonly [string, string, number, RegExp])[] = [
    [dead, source.url, 69, /error: postgres:\/\/u@127.0.0.1:1\/db: connection refused/],
    ['oracle://scott:geheim@db/x', source.url, 2, /error: oracle:\/\/scott:\*\*\*@db\/x is no place that copy knows/],
    ['nowhere', source.url, 78, /nowhere/],
    [source.url, source.url, 2, /is both source and target/],
    [source.url, 's3://bench/archive', 2, /cannot be the target of a copy/],
  ]
  for (const [from, to, code, message] of cases) {
    const result = await copy(from, to, [], { cwd: t.testdir() })
    t.equal(result.code, code, result.stderr)
    t.match(result.stderr, message)
    t.notMatch(result.stderr + result.stdout, /geheim/)
  }
})
