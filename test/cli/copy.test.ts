/** `copy` between real Postgres databases, an embedded database and a server. */

import t from 'tap'
import { temporaryFiles } from '../fixtures/cli.js'
import { startMigratedPostgres } from './fixtures/database.js'
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

t.test('a copy goes into an embedded database, from there to a server, and from it into Postgres', async t => {
  const cwd = t.testdir()
  const laptop = await copy(source.url, 'laptop', [], { cwd })
  t.equal(laptop.code, 0, laptop.stderr)
  const serving = await startServe(['--embedded', 'served', '--listen', '0'], { cwd })
  const served = await copy('laptop', serving.url, [], { cwd, env: { INGEST_BEARER_TOKEN: TOKEN } })
  t.equal(served.code, 65, served.stderr)
  t.match(served.stderr, /schema_version/)
  const target = await postgres.createDatabase()
  const back = await copy('laptop', target.url, [], { cwd })
  t.equal(back.code, 0, back.stderr)
  t.strictSame(await contentOf(target), content)
})
