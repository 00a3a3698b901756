/** Secrets on GitHub Actions: hidden before anything is printed, and missing in runs of forks. */

import t from 'tap'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { projectFile } from '../../fixtures/cli.js'
import { runStep } from '../fixtures/github.js'
import { query, writeCommit } from '../../fixtures/records.js'
import { schemaErrors } from '../fixtures/schema.js'

const SERVER = ['--server', 'https://ingest.invalid', '--retries', '1', '--retry-deadline', '0.001']

t.test('every secret that the program holds is hidden, before anything else is printed', async t => {
  const cwd = t.testdir({ 'one.jsonl': query(), token: 'from-a-file-4711\n' })
  const push = ['push', 'one.jsonl', '--commit', writeCommit(cwd)]
  for (const [args, env, secrets] of [
    [SERVER, { INGEST_BEARER_TOKEN: 'hush-100%\n' }, ['hush-100%']],
    [[...SERVER, '--token-env', 'MINE'], { MINE: 'other-4711' }, ['other-4711']],
    [[...SERVER, '--token-file', 'token'], {}, ['from-a-file-4711']],
    [
      ['--retry-deadline', '0.001'],
      { VORTEX_INGEST_POSTGRES: 'postgres://u:p%40ss%20word@127.0.0.1:1/d', PGPASSWORD: 'hush-pg' },
      ['hush-pg', 'p%40ss%20word', 'p@ss word'],
    ],
  ] as const) {
    const { stderr, commands } = await runStep([...push, ...args], cwd, { env })
    const masks = commands.filter(({ name }) => name === 'add-mask').map(({ message }) => message)
    t.strictSame(masks, secrets)
    const lines = stderr.split('\n')
    t.ok(
      lines.slice(0, masks.length).every(line => line.startsWith('::add-mask::')),
      'they come first',
    )
    const others = lines.slice(masks.length).join('\n')
    for (const secret of secrets) t.notOk(others.includes(secret), 'and are not repeated')
  }
})

t.test('the secrets of a registered target are masked too', async t => {
  const cwd = t.testdir()
  const add = ['targets', 'add', 'site', 'server', 'https://ingest.invalid', '--state', 'state', '--secret-env', 'MINE']
  const { commands } = await runStep(add, cwd, { env: { MINE: 'other-4711' } })
  t.match(commands, [{ name: 'add-mask', message: 'other-4711' }])
})

t.test('a log that goes into a file, which no runner reads, gets no secret', async t => {
  const cwd = t.testdir({})
  const log = openSync(join(cwd, 'log'), 'w')
  const env = { PATH: process.env['PATH'], GITHUB_ACTIONS: 'true', INGEST_BEARER_TOKEN: 'hush-4711' }
  spawnSync(process.execPath, [projectFile('bin/vortex-ingest.js'), 'validate', 'none'], {
    env,
    stdio: [0, 'ignore', log],
  })
  closeSync(log)
  t.match(readFileSync(join(cwd, 'log'), 'utf8'), /error: none: no such file/)
  t.notMatch(readFileSync(join(cwd, 'log'), 'utf8'), 'hush')
})

/** The environment that GitHub gives to a run of a pull request. */
function pullRequest(cwd: string, head: object | null): Record<string, string> {
  const file = join(cwd, 'event.json')
  writeFileSync(file, JSON.stringify({ pull_request: { number: 7, head: { repo: head } } }))
  return { GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: file, GITHUB_REPOSITORY: 'owner/repo' }
}

t.test('a run without secrets fails with the missing ones, or is skipped with --no-secrets skip', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const push = ['push', 'one.jsonl', '--commit', writeCommit(cwd)]
  const fork = pullRequest(cwd, { full_name: 'somebody/repo' })
  for (const [args, env, why] of [
    [SERVER, { INGEST_BEARER_TOKEN: '' }, /given no secrets \(INGEST_BEARER_TOKEN is empty\)/],
    [SERVER, fork, /a fork's pull request, which gets no secrets \(INGEST_BEARER_TOKEN is empty\)/],
    [SERVER, pullRequest(cwd, null), /a fork's pull request/],
    [[], { VORTEX_INGEST_POSTGRES: '' }, /VORTEX_INGEST_POSTGRES is empty/],
    [['--postgres', 'postgres://u@127.0.0.1:1/d'], { PGPASSWORD: '' }, /PGPASSWORD is empty/],
  ] as const) {
    if (why.source.startsWith('a fork'))
      pullRequest(cwd, why.source.includes('gets') ? { full_name: 'some/repo' } : null)
    const failed = await runStep([...push, ...args], cwd, { env })
    t.equal(failed.code, 77, failed.stderr)
    t.match(failed.log, why)
    t.match(failed.log, '--no-secrets skip')
    t.match(failed.outputs, { exit: '77', inserted: '0' })

    const skipped = await runStep([...push, ...args, '--no-secrets', 'skip'], cwd, { env })
    t.equal(skipped.code, 0, skipped.stderr)
    t.match(skipped.stdout, /^skipped: nothing was sent, this run/)
    t.match(
      skipped.commands.filter(({ name }) => name === 'warning'),
      [{ message: /^nothing was sent: / }],
    )
    t.match(skipped.summary, /nothing was sent/)
    t.match(skipped.outputs, { exit: '0', inserted: '0' })
  }
})

t.test('a skipped push is a push report with the reason', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const env = { INGEST_BEARER_TOKEN: '', VORTEX_INGEST_NO_SECRETS: 'skip' }
  const { code, stdout } = await runStep(['push', 'one.jsonl', ...SERVER, '--format', 'json'], cwd, { env })
  t.equal(code, 0)
  t.strictSame(schemaErrors('push-report', stdout), [])
  t.match(JSON.parse(stdout), { records: 0, skipped: /INGEST_BEARER_TOKEN/ })
})

t.test("a pull request of the repository's own branch with its secrets is pushed", async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const env = { ...pullRequest(cwd, { full_name: 'owner/repo' }), INGEST_BEARER_TOKEN: 'hush-4711' }
  const push = ['push', 'one.jsonl', '--commit', writeCommit(cwd), ...SERVER, '--no-secrets', 'skip']
  const { code, stdout } = await runStep(push, cwd, { env })
  t.equal(code, 69, 'the server is not there')
  t.equal(stdout, '')
})
