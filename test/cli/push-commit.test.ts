/** Where a push takes its commit and its run from. */

import t from 'tap'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ENV, ORIGIN, commit, git, repository } from '../commit/fixtures/repository.js'
import { runCli } from '../fixtures/cli.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { COMMIT, SHA, jsonl, oneOfEach, query, writeCommit, writeLines } from '../fixtures/records.js'

const { createDatabase } = await startMigratedPostgres(t)

const GITHUB = {
  CI: 'true',
  GITHUB_ACTIONS: 'true',
  GITHUB_RUN_ID: '9876543210',
  GITHUB_WORKFLOW_REF: 'owner/repo/.github/workflows/bench.yml@refs/heads/main',
  GITHUB_REPOSITORY: 'owner/repo',
  GITHUB_SERVER_URL: 'https://github.com',
}

/** A repository with two commits and a remote, and a file of records of the first. */
function measuredRepository(cwd: string): { readonly first: string; readonly head: string } {
  const first = repository(cwd, 'Read fewer bytes\n\nBecause fewer is faster.\n')
  git(cwd, ['remote', 'add', 'origin', `${ORIGIN}.git`])
  const head = commit(cwd, 'second')
  writeLines(cwd, 'results.jsonl', [query({ commit_sha: first })])
  return { first, head }
}

t.test('the commit is the one that the records name, with its fields from git', async t => {
  const cwd = t.testdir({})
  const { first } = measuredRepository(cwd)
  const { url, sql } = await createDatabase()
  const { code, stdout, stderr } = await runCli(['push', 'results.jsonl', '--postgres', url], { cwd })
  t.equal(code, 0, stderr)
  t.match(stdout, `ingested 1 record of ${first.slice(0, 7)} into `)
  t.strictSame(await sql('SELECT *, timestamp::text FROM commits'), [
    {
      commit_sha: first,
      timestamp: '2026-01-31 06:30:00+00',
      message: 'Read fewer bytes',
      ...{ author_name: ENV.GIT_AUTHOR_NAME, author_email: ENV.GIT_AUTHOR_EMAIL },
      ...{ committer_name: ENV.GIT_COMMITTER_NAME, committer_email: ENV.GIT_COMMITTER_EMAIL },
      tree_sha: git(cwd, ['rev-parse', `${first}^{tree}`]),
      url: `${ORIGIN}/commit/${first}`,
    },
  ])
  t.strictSame(await sql('SELECT commit_timestamp::text FROM query_measurements'), [
    { commit_timestamp: '2026-01-31 06:30:00+00' },
  ])
})

t.test('without records it is HEAD, and in CI the commit that CI names', async t => {
  const cwd = t.testdir({})
  const { first, head } = measuredRepository(cwd)
  const { url, sql } = await createDatabase()
  const push = ['push', '-', '--postgres', url, '--format', 'json']
  t.match(JSON.parse((await runCli(push, { cwd })).stdout), { commit: head, records: 0 })
  const inCi = await runCli(push, { cwd, env: { ...GITHUB, GITHUB_SHA: first } })
  t.match(JSON.parse(inCi.stdout), { commit: first, records: 0 })
  t.equal((await sql('SELECT FROM commits')).length, 2)
})

t.test('--git-dir names the repository from anywhere, and --repo-url its address', async t => {
  const cwd = t.testdir({ elsewhere: {} })
  const { first } = measuredRepository(join(cwd, 'repository'))
  const { url, sql } = await createDatabase()
  const where = ['--git-dir', '../repository', '--repo-url', 'git@example.org:a/b.git', '--postgres', url]
  const { code, stderr } = await runCli(['push', '../repository/results.jsonl', ...where], {
    cwd: join(cwd, 'elsewhere'),
  })
  t.equal(code, 0, stderr)
  t.strictSame(await sql('SELECT url FROM commits'), [{ url: `https://example.org/a/b/commit/${first}` }])
})

t.test('a shallow clone without the commit gets a hint with the fetch command, which works', async t => {
  const cwd = t.testdir({})
  const { first } = measuredRepository(join(cwd, 'origin'))
  git(cwd, ['clone', '--quiet', '--depth=1', `file://${join(cwd, 'origin')}`, 'clone'])
  const clone = join(cwd, 'clone')
  writeLines(clone, 'results.jsonl', [query({ commit_sha: first })])
  const { url, sql } = await createDatabase()
  const push = ['push', 'results.jsonl', '--postgres', url, '--repo-url', ORIGIN]

  const { code, stdout, stderr } = await runCli(push, { cwd: clone })
  t.strictSame([code, stdout], [78, ''])
  t.equal(
    stderr,
    `error: commit ${first} is not in this repository\n` +
      `hint: the clone is shallow: run \`git fetch --depth=1 origin ${first}\`; ` +
      'in GitHub Actions give actions/checkout `fetch-depth: 0`\n',
  )
  t.strictSame(await sql('SELECT FROM commits'), [])

  const fetch = /run `(git fetch [^`]*)`/.exec(stderr)?.[1] ?? ''
  execFileSync('sh', ['-c', fetch], { cwd: clone, env: ENV, stdio: 'ignore' })
  t.equal((await runCli(push, { cwd: clone })).code, 0)
})

t.test('a failure of git is one clear line with a hint', async t => {
  const outside = t.testdir({ 'results.jsonl': query() })
  const inside = join(outside, 'repository')
  repository(inside)
  writeLines(inside, 'results.jsonl', [query()])
  const cases = [
    [
      { cwd: outside, env: { GIT_CEILING_DIRECTORIES: join(outside, '..') } },
      /^error: the current directory is not a git repository\nhint: .*--git-dir DIR.*--commit FILE\.json\n$/,
    ],
    [
      { cwd: inside },
      new RegExp(`^error: commit ${SHA} is not in this repository\nhint: run \`git fetch origin ${SHA}\`, or .*\n$`),
    ],
    [
      { cwd: inside, env: { PATH: '' } },
      /^error: git is not installed, or not on the PATH\nhint: install git, or .*--commit FILE\.json\n$/,
    ],
  ] as const
  for (const [options, message] of cases) {
    const push = ['push', 'results.jsonl', '--dry-run', '--repo-url', ORIGIN]
    const { code, stdout, stderr } = await runCli(push, options)
    t.strictSame([code, stdout], [78, ''])
    t.match(stderr, message)
  }
})

t.test('a commit file of another commit than the records name, or of none, is refused', async t => {
  const cwd = t.testdir({ 'results.jsonl': jsonl(oneOfEach()) })
  const other = { ...COMMIT, sha: 'f'.repeat(40) }
  const cases = [
    [writeCommit(cwd, other), `describes commit ${other.sha}, the records name "${SHA}"`],
    ['missing.json', 'error: cannot read the commit file missing.json: no such file\nhint: name a JSON file'],
    ['results.jsonl', 'error: commit file results.jsonl: is not JSON: '],
  ] as const
  for (const [file, message] of cases) {
    const push = ['push', 'results.jsonl', '--commit', file, '--dry-run']
    const { code, stdout, stderr } = await runCli(push, { cwd })
    t.strictSame([code, stdout], [78, ''])
    t.match(stderr, message)
    t.equal(stderr.trimEnd().split('\n').length, 2, 'an error and a hint')
  }
})

t.test('records that name no full commit id are bad data', async t => {
  const cwd = t.testdir({ 'results.jsonl': query({ commit_sha: '0123456' }) })
  const { code, stdout, stderr } = await runCli(['push', 'results.jsonl', '--dry-run'], { cwd })
  t.strictSame([code, stdout], [65, ''])
  t.match(
    stderr,
    /^error: results\.jsonl:1 \(byte 0\): \/commit_sha must be 40 lowercase hex digits, got "0123456" \(not_full_sha\)\n/,
  )
})

t.test('in CI a push without a target is refused, because a local folder does not last there', async t => {
  const cwd = t.testdir({ 'results.jsonl': query() })
  const file = writeCommit(cwd)
  for (const [name, env] of [
    ['GitHub Actions', GITHUB],
    ['GitLab CI', { GITLAB_CI: 'true' }],
    ['Buildkite', { BUILDKITE: 'true' }],
    ['CircleCI', { CIRCLECI: 'true' }],
    ['unknown CI', { CI: '1' }],
  ] as const) {
    const { code, stdout, stderr } = await runCli(['push', 'results.jsonl', '--commit', file], { cwd, env })
    t.strictSame([code, stdout], [2, ''])
    const words = stderr.replace(/^::error .*\n/m, '')
    t.equal(words === stderr, name !== 'GitHub Actions', 'GitHub gets it as an annotation too')
    t.equal(
      words,
      `error: no target is given; in ${name} the default, a local folder, would be lost with the job\n` +
        'hint: give --server URL or --postgres DSN, or --embedded for a database that ends with this job\n',
    )
  }
  t.notOk(existsSync(join(cwd, '.vortex-ingest')))

  const asked = await runCli(['push', 'results.jsonl', '--commit', file, '--embedded'], { cwd, env: GITHUB })
  t.equal(asked.code, 0, asked.stderr)
  t.match(asked.stdout, /^ingested 1 record of 0123456 into the embedded database in \.vortex-ingest /)
})

t.test('the run is the one that CI describes, unless a flag or a variable says better', async t => {
  const cwd = t.testdir({ 'results.jsonl': query() })
  const push = ['push', 'results.jsonl', '--commit', writeCommit(cwd), '--embedded', '--dry-run', '--format', 'json']
  const gitlab = { GITLAB_CI: 'true', CI_JOB_NAME: 'bench', CI_PIPELINE_ID: '77' }
  for (const [env, args, benchmarkId] of [
    [GITHUB, [], 'bench.yml@9876543210'],
    [gitlab, [], 'bench@77'],
    [GITHUB, ['--benchmark-id', 'nightly'], 'nightly'],
    [{ ...GITHUB, VORTEX_INGEST_BENCHMARK_ID: 'weekly' }, [], 'weekly'],
    [{}, [], 'local'],
  ] as const) {
    const { stdout, stderr } = await runCli([...push, ...args], { cwd, env })
    t.equal(stderr, '')
    const { run } = JSON.parse(stdout) as { run: { started_at: string } }
    t.match(run, { benchmark_id: benchmarkId, schema_version: 1 })
    t.ok(Math.abs(Date.now() - Date.parse(run.started_at)) < 60_000)
  }
})
