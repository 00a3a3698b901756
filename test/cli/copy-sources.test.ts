/** `copy` from files, archives and servers into a real Postgres. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli } from '../fixtures/cli.js'
import { COMMIT, jsonl, line, size } from '../fixtures/records.js'
import { contentOf, copy, createSource, dayOf, shaOf } from './fixtures/copying.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { startServe } from './fixtures/serve.js'

const postgres = await startMigratedPostgres(t)
const source = await createSource(postgres, 6, 30)
const content = await contentOf(source)

/** A file with the commits of the source, as `--commits` takes it. */
async function writeCommits(cwd: string): Promise<string> {
  const commits = await source.sql(
    `SELECT jsonb_build_object('sha', commit_sha) || to_jsonb(c) - 'commit_sha' AS commit FROM commits c`,
  )
  const path = join(cwd, 'commits.jsonl')
  writeFileSync(path, jsonl(commits.map(({ commit }) => JSON.stringify(commit))))
  return path
}

t.test('an export of all commits goes back in with identical rows', async t => {
  const cwd = t.testdir()
  const exported = await runCli(['export', '--postgres', source.url, '--output', 'all.jsonl'], { cwd })
  t.equal(exported.code, 0, exported.stderr)
  const target = await postgres.createDatabase()
  const args = ['--commits', await writeCommits(cwd)]
  const { code, stdout, stderr } = await copy('all.jsonl', target.url, args, { cwd })
  t.equal(code, 0, stderr + stdout)
  t.match(stdout, /^verified: 189 records/m)
  t.strictSame(await contentOf(target), content)
  const part = await postgres.createDatabase()
  await copy('all.jsonl', part.url, [...args, '--since', dayOf(4), '--kind', 'compression_size'], { cwd })
  const [{ commits } = {}] = await part.sql('SELECT count(DISTINCT commit_sha)::int AS commits FROM compression_sizes')
  t.equal(commits, 2)
})

t.test('an archive is copied with the newest record of each measurement', async t => {
  const cwd = t.testdir({ 'commit.json': JSON.stringify(COMMIT) })
  const push = async (value: number): Promise<void> => {
    writeFileSync(
      join(cwd, 'f.jsonl'),
      jsonl([line('query_measurement'), size({ value_bytes: value })].slice(value - 1)),
    )
    const args = ['push', 'f.jsonl', '--state', 'state', '--archive', 'archive', '--commit', 'commit.json']
    const pushed = await runCli(args, { cwd })
    t.equal(pushed.code, 0, pushed.stderr)
  }
  await push(1)
  await push(2)
  const target = await postgres.createDatabase()
  writeFileSync(join(cwd, 'commits.jsonl'), `${JSON.stringify(COMMIT)}\n`)
  const { code, stdout, stderr } = await copy('archive', target.url, ['--commits', 'commits.jsonl'], { cwd })
  t.equal(code, 0, stderr)
  t.match(stdout, /^copied 2 records of 1 commit from the archive in archive/)
  t.strictSame(await target.sql('SELECT value_bytes::int FROM compression_sizes'), [{ value_bytes: 2 }])
})

t.test('a server is copied through its read API', async t => {
  const serving = await startServe(['--store', source.url], { cwd: t.testdir() })
  const target = await postgres.createDatabase()
  const { code, stdout, stderr } = await copy(serving.url, target.url)
  t.equal(code, 0, stderr + stdout)
  t.strictSame(await contentOf(target), content)
})

t.test('a bad line, a missing commit and a missing file end with one clear error', async t => {
  const cwd = t.testdir({
    'bad.jsonl': jsonl([size({ commit_sha: shaOf(0) }), size({ commit_sha: shaOf(0), value_bytes: 'many' })]),
    'good.jsonl': jsonl([size()]),
  })
  const commits = ['--commits', await writeCommits(cwd)]
  const target = await postgres.createDatabase()
  const cases: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ['bad.jsonl', commits, 65, /error: bad.jsonl:2: \/value_bytes must be an integer/],
    ['good.jsonl', commits, 78, /commits.jsonl has no line for the commit 0123/],
    ['good.jsonl', [], 78, /hint: the source has no commits: name the repository with --git-dir/],
    ['none.jsonl', commits, 66, /error: none.jsonl: no such file/],
    ['http://127.0.0.1:1', [], 69, /127.0.0.1:1/],
  ]
  for (const [from, args, code, message] of cases) {
    const result = await copy(from, target.url, args, { cwd })
    t.equal(result.code, code, result.stderr)
    t.match(result.stderr, message)
  }
  t.equal(await target.countRows(), 0)
})
