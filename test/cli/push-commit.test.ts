/** Where a push takes its commit and its run from. */

import t from 'tap'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { SHA, size } from './fixtures/records.js'

const { createDatabase } = await startMigratedPostgres(t)

const GITHUB = {
  GITHUB_ACTIONS: 'true',
  CI: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'owner/repo',
  GITHUB_WORKFLOW_REF: 'owner/repo/.github/workflows/bench.yml@refs/heads/develop',
  GITHUB_RUN_ID: '4711',
}

function git(cwd: string, ...args: readonly string[]): string {
  const identity = ['-c', 'user.name=Zoë', '-c', 'user.email=zoe@example.org', '-c', 'commit.gpgsign=false']
  const env = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  return execFileSync('git', [...identity, ...args], {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
}

/** A repository with `commits` commits and a remote; answers with their ids, oldest first. */
function makeRepository(cwd: string, commits: number): readonly string[] {
  git(cwd, 'init', '-q', '-b', 'main')
  git(cwd, 'remote', 'add', 'origin', 'git@github.com:owner/repo.git')
  return Array.from({ length: commits }, (_, index) => {
    git(cwd, 'commit', '-q', '--allow-empty', '-m', `Change ${index}\n\nBody`)
    return git(cwd, 'rev-parse', 'HEAD')
  })
}

function report({ stdout }: CliResult): { commit: string; run: { benchmark_id: string } } {
  return JSON.parse(stdout) as { commit: string; run: { benchmark_id: string } }
}

t.test('the commit is the one that the records name, with its fields from git', async t => {
  const cwd = t.testdir()
  const [first = ''] = makeRepository(cwd, 2)
  writeFileSync(join(cwd, 'f.jsonl'), size({ commit_sha: first }))
  const { url, sql } = await createDatabase()
  const { code, stderr } = await runCli(['push', 'f.jsonl', '--postgres', url], { cwd })
  t.equal(code, 0, stderr)
  t.match(await sql('SELECT * FROM commits'), [
    {
      commit_sha: first,
      message: 'Change 0',
      author_name: 'Zoë',
      url: `https://github.com/owner/repo/commit/${first}`,
    },
  ])
})

t.test('without records it is HEAD, and in CI the commit that CI names', async t => {
  const cwd = t.testdir({ 'empty.jsonl': '' })
  const [first = '', head = ''] = makeRepository(cwd, 2)
  const { url } = await createDatabase()
  const args = ['push', 'empty.jsonl', '--postgres', url, '--format', 'json']
  t.equal(report(await runCli(args, { cwd })).commit, head)
  t.equal(report(await runCli(args, { cwd, env: { ...GITHUB, GITHUB_SHA: first } })).commit, first)
})

t.test('the run comes from the CI environment, and a flag beats it', async t => {
  const cwd = t.testdir({ 'empty.jsonl': '' })
  makeRepository(cwd, 1)
  const { url } = await createDatabase()
  const args = ['push', 'empty.jsonl', '--postgres', url, '--format', 'json']
  t.equal(report(await runCli(args, { cwd, env: GITHUB })).run.benchmark_id, 'bench.yml@4711')
  t.equal(report(await runCli([...args, '--benchmark-id', 'mine'], { cwd, env: GITHUB })).run.benchmark_id, 'mine')
})

t.test('a shallow clone that lacks the commit is told which fetch to run', async t => {
  const cwd = t.testdir({ origin: {}, 'f.jsonl': '' })
  const [first = ''] = makeRepository(join(cwd, 'origin'), 3)
  git(cwd, 'clone', '-q', '--depth=1', `file://${join(cwd, 'origin')}`, 'clone')
  writeFileSync(join(cwd, 'f.jsonl'), size({ commit_sha: first }))
  const { url, sql } = await createDatabase()
  const { code, stderr } = await runCli(['push', 'f.jsonl', '--postgres', url, '--git-dir', 'clone'], { cwd })
  t.equal(code, 78)
  t.match(stderr, new RegExp(`hint: .*git fetch --depth=1 origin ${first}`))
  t.strictSame(await sql('SELECT 1 FROM commits'), [])
})

t.test('outside of a repository the answer names the ways out', async t => {
  const cwd = t.testdir({ 'f.jsonl': size() })
  const { url } = await createDatabase()
  const { code, stderr } = await runCli(['push', 'f.jsonl', '--postgres', url], {
    cwd,
    env: { GIT_CEILING_DIRECTORIES: join(cwd, '..') },
  })
  t.equal(code, 78)
  t.match(stderr, /not.*git repository/)
  t.match(stderr, /hint: .*--git-dir.*--commit/)
})

t.test('a commit file of another commit than the records name is refused', async t => {
  const cwd = t.testdir({ 'f.jsonl': size({ commit_sha: 'f'.repeat(40) }) })
  const commit = { ...JSON.parse(commitText()), sha: SHA } as object
  writeFileSync(join(cwd, 'commit.json'), JSON.stringify(commit))
  const { url } = await createDatabase()
  const { code, stderr } = await runCli(['push', 'f.jsonl', '--postgres', url, '--commit', 'commit.json'], { cwd })
  t.equal(code, 78)
  t.match(stderr, new RegExp(`commit.json describes commit ${SHA}, the records name f{40}`))
})

t.test('in CI a push without a target is refused, because a local folder does not last there', async t => {
  const cwd = t.testdir({ 'empty.jsonl': '' })
  makeRepository(cwd, 1)
  const without = await runCli(['push', 'empty.jsonl'], { cwd, env: GITHUB })
  t.equal(without.code, 2)
  t.match(
    without.stderr,
    /^error: no target is named and this is GitHub Actions.*\nhint: give --postgres DSN, or --embedded/,
  )
  const asked = await runCli(['push', 'empty.jsonl', '--embedded', '.'], { cwd, env: GITHUB })
  t.equal(asked.code, 0, asked.stderr)
})

function commitText(): string {
  const text = { timestamp: '2026-02-03T23:30:00Z', message: 'm', author_name: 'a', author_email: 'a@x' }
  return JSON.stringify({
    ...text,
    committer_name: 'c',
    committer_email: 'c@x',
    tree_sha: '0',
    url: 'https://x/commit/y',
  })
}
