/** `compare` without names, with `--baseline` and with `--server`: the program, real git repositories and real databases. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { commit, ENV, git, repository } from '../commit/fixtures/repository.js'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { jsonl, query } from '../fixtures/records.js'
import { runStep } from './fixtures/github.js'
import { queryEmbedded, startMigratedPostgres } from './fixtures/database.js'
import { startServe, stop, TOKEN } from './fixtures/serve.js'

const env = { GIT_CEILING_DIRECTORIES: ENV['GIT_CEILING_DIRECTORIES']!, GIT_CONFIG_GLOBAL: '/dev/null' }

const run = (cwd: string, ...args: readonly string[]): Promise<CliResult> =>
  runCli([...args], { cwd, env: { ...env, INGEST_BEARER_TOKEN: TOKEN } })

/** Pushes one record of a commit from a clone. */
async function push(dir: string, sha: string, ...target: readonly string[]): Promise<void> {
  writeFileSync(join(dir, 'results.jsonl'), jsonl([query({ commit_sha: sha })]))
  const { code, stderr } = await run(dir, 'push', 'results.jsonl', ...target)
  if (code !== 0) throw new Error(stderr)
}

type Compared = { readonly base: { sha: string }; readonly head: { sha: string }; readonly notes: readonly string[] }

async function compared(t: Test, cwd: string, ...args: readonly string[]): Promise<Compared> {
  const { code, stdout, stderr } = await run(cwd, 'compare', ...args, '--format', 'json')
  t.equal(code, 0, stderr)
  return JSON.parse(stdout) as Compared
}

const shasOf = ({ base, head }: Compared): readonly string[] => [base.sha, head.sha]

/** A repository with four commits on main and one on a branch from the third, which is checked out. */
function branched(dir: string): { readonly main: readonly string[]; readonly head: string } {
  repository(dir)
  git(dir, ['remote', 'add', 'origin', 'https://github.com/owner/repo'])
  const main = ['one', 'two', 'three', 'four'].map(message => commit(dir, message))
  git(dir, ['checkout', '--quiet', '-b', 'topic', main[2]!])
  return { main, head: commit(dir, 'topic') }
}

t.test('the embedded database, and a server that holds it', async t => {
  const dir = t.testdir()
  const { main, head } = branched(dir)
  // All times are the same, so only the graph tells the order.
  for (const sha of [main[3]!, head, main[0]!, main[1]!]) await push(dir, sha, '--embedded')

  await t.test('commits are found by the graph', async t => {
    t.strictSame(shasOf(await compared(t, dir)), [main[1], head])
    t.strictSame(shasOf(await compared(t, dir, '--baseline', 'merge-base')), [main[1], head])
    t.strictSame(shasOf(await compared(t, dir, '--baseline', 'latest')), [main[3], head])
    t.strictSame(shasOf(await compared(t, dir, 'main', '--baseline', 'parent')), [main[1], main[3]])
    t.strictSame(shasOf(await compared(t, dir, '--baseline', main[0]!)), [main[0], head])
    t.strictSame(shasOf(await compared(t, dir, 'main~3')), [main[0], head])
  })

  await t.test('mistakes are reported with what to do', async t => {
    const two = await run(dir, 'compare', 'main', 'topic', '--baseline', 'parent')
    t.match(two, { code: 2, stderr: /^error: --baseline and an argument both name BASE\nhint: give only HEAD/ })
    const oldest = await run(dir, 'compare', '--baseline', 'parent', main[0]!)
    t.match(oldest.stderr, /^error: no ancestor of [0-9a-f]{40} is stored\nhint: name the base/)
    const both = await run(dir, 'compare', '--server', 'http://127.0.0.1:9', '--embedded')
    t.match(both, { code: 2, stderr: /^error: --server and a database are two targets/ })
    const dead = await run(dir, 'compare', '--server', 'http://127.0.0.1:9', '--timeout', '1')
    t.match(dead, { code: 69, stderr: /127\.0\.0\.1:9/ })
  })

  await t.test('without the repository the stored parents are followed', async t => {
    const place = await compared(
      t,
      t.testdir(),
      '--embedded',
      join(dir, '.vortex-ingest'),
      head,
      '--baseline',
      'parent',
    )
    t.strictSame(shasOf(place), [main[1], head])
    t.match(place.notes[0], /^git does not know [0-9a-f]{7} here, so its history was read from the parents/)
  })

  await t.test('a server that holds the database answers', async t => {
    const serving = await startServe(['--store', join(dir, '.vortex-ingest')], { cwd: dir })
    t.teardown(() => stop(serving))
    t.strictSame(shasOf(await compared(t, dir, '--server', serving.url)), [main[1], head])
    const outside = await compared(t, t.testdir(), '--server', serving.url, head, '--baseline', 'parent')
    t.match(outside.notes[0], /from the parents that are stored/)
    await push(dir, main[2]!, '--server', serving.url, '--benchmark-id', 'b')
    t.strictSame(shasOf(await compared(t, dir, '--server', serving.url)), [main[2], head])
  })
  const [ancestry] = await queryEmbedded(join(dir, '.vortex-ingest'), 'SELECT * FROM vortex_ingest.commit_ancestry')
  t.strictSame(ancestry?.map(({ commit_sha }) => commit_sha).sort(), [...main, head].sort(), 'also through the server')
})

t.test('Postgres', async t => {
  const { createDatabase } = await startMigratedPostgres(t)
  const database = await createDatabase()
  const [dir, clones] = [join(t.testdir(), 'origin'), join(t.testdirName, 'clones')]
  const { main } = branched(dir)
  git(dir, ['checkout', '--quiet', 'main'])

  await t.test('pushes from shallow clones store the history, also through the outbox of a state', async t => {
    for (const [index, sha] of main.entries()) {
      git(dir, ['checkout', '--quiet', '-B', 'ci', sha])
      const clone = join(clones, String(index))
      git(dir, ['clone', '--quiet', '--depth', '1', '--branch', 'ci', `file://${dir}`, clone])
      const state = index === 1 ? ['--state', join(clones, 'state')] : []
      await push(clone, sha, '--postgres', database.url, '--repo-url', 'https://github.com/owner/repo', ...state)
    }
    const place = await compared(t, t.testdir(), '--postgres', database.url, main[3]!, '--baseline', 'parent')
    t.strictSame(shasOf(place), [main[2], main[3]])
    const rows = await database.sql('SELECT commit_sha, parents FROM vortex_ingest.commit_ancestry')
    const parents = new Map(rows.map(({ commit_sha, parents }) => [commit_sha, parents]))
    t.strictSame(
      main.slice(1).map(sha => parents.get(sha)),
      main.slice(0, -1).map(sha => [sha]),
    )
  })

  await t.test('a database without the table is pushed to and compared as before', async t => {
    const before = await createDatabase()
    await before.sql('DROP TABLE vortex_ingest.commit_ancestry')
    git(dir, ['checkout', '--quiet', 'main'])
    await push(dir, main[0]!, '--postgres', before.url)
    await push(dir, main[1]!, '--postgres', before.url)
    t.strictSame(shasOf(await compared(t, dir, '--postgres', before.url)), [main[0], main[1]])
  })

  await t.test('the summary of a push compares with the nearest stored ancestor', async t => {
    const stored = await createDatabase()
    await push(dir, main[0]!, '--postgres', stored.url)
    await push(dir, main[3]!, '--postgres', stored.url)
    writeFileSync(join(dir, 'results.jsonl'), jsonl([query({ commit_sha: main[2]! })]))
    const { summary } = await runStep(['push', 'results.jsonl', '--postgres', stored.url], dir)
    t.match(summary, `${main[2]!.slice(0, 7)} against ${main[0]!.slice(0, 7)}`)
  })
})
