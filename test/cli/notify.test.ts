/** `notify` posts new regressions to a webhook. */

import { join } from 'node:path'
import t from 'tap'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { json, startAnswering, type Answer, type TestServer } from '../fixtures/http-server.js'
import { COMMIT, query, writeCommit, writeLines } from '../fixtures/records.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { schemaErrors } from './fixtures/schema.js'

const { createDatabase } = await startMigratedPostgres(t)
const { url: DATABASE } = await createDatabase()
const CWD = t.testdir({})
const SECRET = '/services/T0000/B0000/hush-4711'
const COMMITS = Array.from({ length: 14 }, (_, index) => (index + 1).toString(16).repeat(40))
/** The commit that made one of two series slower. Its subject would mention everybody and hide a link. */
const GUILTY = COMMITS[8]!
const SUBJECT = 'Faster <!channel> & <https://evil.example|docs>'

/** Two series at every commit, with a little noise. */
async function store(): Promise<void> {
  for (const [index, sha] of COMMITS.entries()) {
    const noise = ((index * 7) % 5) * 0.001
    const timed = (query_idx: number, about: number): string => {
      const value = Math.round(about * (1 + noise))
      return query({ commit_sha: sha, query_idx, value_ns: value, all_runtimes_ns: [value - 9, value, value + 9] })
    }
    writeLines(CWD, 'results.jsonl', [timed(1, index < 8 ? 1_000_000 : 1_400_000), timed(2, 5_000_000)])
    const day = String(index + 1).padStart(2, '0')
    const commit = {
      ...COMMIT,
      sha,
      timestamp: `2026-02-${day}T00:00:00Z`,
      message: sha === GUILTY ? SUBJECT : 'other',
    }
    const push = ['push', 'results.jsonl', '--commit', writeCommit(CWD, commit), '--postgres', DATABASE]
    const { code, stderr } = await runCli(push, { cwd: CWD })
    if (code !== 0) throw new Error(stderr)
  }
}
await store()

/** Runs `notify` with the webhook in its variable. The repository of this checkout does not know the commits. */
function notify(webhook: string, ...args: readonly string[]): Promise<CliResult> {
  const env = { VORTEX_INGEST_WEBHOOK: webhook, GIT_DIR: join(CWD, 'none') }
  return runCli(['notify', '--postgres', DATABASE, ...args], { cwd: CWD, env })
}

const ok: Answer = response => response.writeHead(200, { 'content-type': 'text/html' }).end('ok')
const documentOf = ({ asked }: TestServer): Record<string, unknown> =>
  JSON.parse(asked.at(-1)?.body?.toString() ?? '{}') as Record<string, unknown>

t.test('the commit that made a series slower is posted, with a text for Slack and all fields', async t => {
  const server = await startAnswering(t, ok)
  const { code, stdout, stderr } = await notify(`${server.url}${SECRET}`)
  t.equal(code, 0, stderr)
  t.match(stdout, /^posted 1 new regression of 1 commit to 127\.0\.0\.1:\d+\n$/)
  t.match(server.asked, [{ method: 'POST', path: SECRET, headers: { 'content-type': 'application/json' } }])
  const { text, ...fields } = documentOf(server)
  t.match(text, /^\*1 commit made benchmarks slower or larger\* in /)
  t.match(
    text,
    `\n\n*${GUILTY.slice(0, 7)} 2026-02-09 Faster &lt;!channel&gt; &amp; &lt;https://evil.example|docs&gt; (Zoë Żółć)*\n`,
  )
  t.match(text, /\n• slower 1\.4\d\d: query_measurement .* q1 /)
  t.match(fields, {
    command: 'changes',
    commits: [{ commit: { sha: GUILTY }, changes: [{ verdict: 'slower', accepted: null }] }],
  })
})

t.test('an accepted change is not posted again', async t => {
  const server = await startAnswering(t, ok)
  const place = ['--postgres', DATABASE]
  const accepted = await runCli(['changes', 'accept', GUILTY, '--note', 'known', ...place], { cwd: CWD })
  t.equal(accepted.code, 0, accepted.stderr)
  const { code, stdout } = await notify(`${server.url}${SECRET}`, '--format', 'json')
  t.equal(code, 0)
  const report = JSON.parse(stdout) as object
  t.strictSame(report, { command: 'notify', exit_code: 0, posted: false, changes: 0 })
  t.strictSame(schemaErrors('notify-report', stdout), [])
  t.equal(server.asked.length, 0)
  t.match((await notify(`${server.url}${SECRET}`)).stdout, /^nothing posted: no new regression in /)
  t.equal((await runCli(['changes', 'withdraw', GUILTY, ...place], { cwd: CWD })).code, 0)
})

t.test('a webhook that fails is asked again, and one that refuses ends the command, without its path', async t => {
  const failing = await startAnswering(t, json(503, {}), json(429, {}), ok)
  t.equal((await notify(`${failing.url}${SECRET}`)).code, 0)
  t.equal(failing.asked.length, 3)

  const refusing = await startAnswering(t, response => response.writeHead(404).end(`no_team at ${SECRET}`))
  const refused = await notify(`${refusing.url}${SECRET}`, '-v')
  t.equal(refused.code, 77)
  t.match(refused.stderr, /error: the webhook at http:\/\/127\.0\.0\.1:\d+ answered 404 \(no_team at \*\*\*\)/)
  t.equal(refusing.asked.length, 1)
  const echoing = await startAnswering(t, (response, { path }) =>
    response.writeHead(400).end(`bad signature ${new URL(path, 'http://x').searchParams.get('sig')} of hush-4711`),
  )
  const inQuery = await notify(`${echoing.url}/hooks/hush-4711?api-version=1&sig=whispered-0815`)
  t.match(inQuery, { code: 77, stderr: /answered 400 \(bad signature \*\*\* of \*\*\*\)/ })

  const down = await notify(`http://127.0.0.1:9${SECRET}`, '-v')
  t.equal(down.code, 69)
  t.match(down.stderr, 'error: the webhook could not be reached')
  t.notMatch(down.stderr, '--server')
  for (const { stdout, stderr } of [refused, down]) t.notMatch(stdout + stderr, 'hush-4711')
})

t.test('an answer that is lost is not posted twice', async t => {
  const server = await startAnswering(t, response => response.socket?.resetAndDestroy())
  t.equal((await notify(`${server.url}${SECRET}`)).code, 69)
  t.equal(server.asked.length, 1)
})

t.test('a webhook that is no URL is a usage error that does not repeat it', async t => {
  for (const wrong of ['hush-4711', 'ftp://example.com/hush-4711']) {
    const { code, stderr } = await notify(wrong)
    t.equal(code, 2)
    t.match(stderr, 'error: --webhook is not a URL of http or https')
    t.notMatch(stderr, 'hush-4711')
  }
  const none = await runCli(['notify', '--postgres', DATABASE], { cwd: CWD })
  t.equal(none.code, 2)
  t.match(none.stderr, '--webhook <url>')
})
