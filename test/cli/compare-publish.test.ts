/** The results that `compare` publishes in CI: a comment, a check, annotations and a summary. */

import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeAuthority, makeCertificate } from '../fixtures/certificates.js'
import { runCli } from '../fixtures/cli.js'
import { HOSTING_TOKEN, startHostingServer, type HostingServer } from '../fixtures/hosting-server.js'
import { json } from '../fixtures/http-server.js'
import { COMMIT, query, size, writeCommit, writeLines } from '../fixtures/records.js'
import { runStep, type Step } from './fixtures/github.js'

const [BASE, HEAD] = ['a1'.repeat(20), 'b2'.repeat(20)]
const CWD = t.testdir({})

/** Two stored commits: at the second, one of two series is three times as slow. */
async function store(): Promise<void> {
  for (const [sha, factor, day] of [
    [BASE, 1, 1],
    [HEAD, 3, 2],
  ] as const) {
    const runs = Array.from({ length: 10 }, (_, run) => (1_000_000 + run * 1000) * factor)
    const at = { commit_sha: sha }
    writeLines(CWD, 'results.jsonl', [
      query({ ...at, dataset: 'tpc|h', value_ns: runs[5]!, all_runtimes_ns: runs }),
      size(at),
    ])
    const commit = writeCommit(CWD, { ...COMMIT, sha, timestamp: `2026-02-0${day}T00:00:00Z` })
    const { code, stderr } = await runCli(['push', 'results.jsonl', '--commit', commit, '--embedded'], { cwd: CWD })
    if (code !== 0) throw new Error(stderr)
  }
}
await store()
const event = join(CWD, 'event.json')
const pull = { number: 7, head: { sha: HEAD, repo: { full_name: 'owner/repo' } } }
writeFileSync(event, JSON.stringify({ action: 'synchronize', number: 7, pull_request: pull }))

/** Runs `compare` in a job for the pull request 7 of GitHub. */
function compareInPull(
  { github }: Pick<HostingServer, 'github'>,
  flags: readonly string[],
  env = {},
  cwd = CWD,
): Promise<Step> {
  const job = { GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: event, GITHUB_SHA: 'c3'.repeat(20) }
  const run = { GITHUB_RUN_ID: '42', GITHUB_RUN_ATTEMPT: '1' }
  return runStep(['compare', BASE, HEAD, '--embedded', ...flags], cwd, { env: { ...github, ...job, ...run, ...env } })
}

/** The commands that a user sees. */
function withoutMasks(commands: Step['commands']): Step['commands'] {
  return commands.filter(({ name }) => name !== 'add-mask')
}

t.test('GitHub: the pull request has one comment and its head a check, however often it runs', async t => {
  const server = await startHostingServer(t)
  for (const run of ['42', '43']) {
    const { code, stderr } = await compareInPull(server, ['--comment', '--check'], { GITHUB_RUN_ID: run })
    t.equal(code, 0, stderr)
    t.match(stderr, run === '42' ? 'comment: created on pull request 7' : 'comment: updated on pull request 7')
    t.match(stderr, 'check: check run on commit b2b2b2b')
  }
  t.equal(server.comments.length, 1)
  t.match(
    server.comments[0]?.body,
    /^<!-- vortex-ingest compare vortex-ingest%20compare run=43\.1 -->\n### vortex-ingest compare\n\n\*\*changed:\*\*/,
  )
  t.match(server.comments[0]?.body, /\[CI run\]\(https:\/\/github\.com\/owner\/repo\/actions\/runs\/43\/attempts\/1\)$/)
  t.equal(server.checks.length, 2)
  t.match(server.checks[0], {
    name: 'vortex-ingest compare',
    head_sha: HEAD,
    status: 'completed',
    conclusion: 'neutral',
  })
  t.match(server.checks[0], { output: { title: /^changed: 1 slower/, summary: /\| slower/ } })
})

t.test('two jobs at the same time leave one comment, with the text of the later run', async t => {
  const searches: (() => void)[] = []
  const server = await startHostingServer(t, {
    // Answers the first search of each job together, and both with no comment.
    instead: ({ method, path }) => {
      if (method !== 'GET' || !path.includes('per_page') || searches.length >= 2) return undefined
      return (response, asked) => {
        searches.push(() => json(200, [])(response, asked))
        if (searches.length === 2) for (const answer of searches) answer()
      }
    },
  })
  // An embedded database is read by one process at a time.
  const other = join(t.testdir({}), 'other')
  cpSync(CWD, other, { recursive: true })
  const jobs = await Promise.all([
    compareInPull(server, ['--comment'], { GITHUB_RUN_ID: '42' }),
    compareInPull(server, ['--comment'], { GITHUB_RUN_ID: '43' }, other),
  ])
  for (const { code, stderr } of jobs) {
    t.equal(code, 0, stderr)
    t.notMatch(stderr, 'warning')
  }
  t.equal(searches.length, 2)
  t.equal(server.comments.length, 1)
  t.match(server.comments[0]?.body, /run=43\.1 -->/)
})

t.test('commits that are named cost no request to the hosting service', async t => {
  const server = await startHostingServer(t)
  const { code, stdout, stderr } = await compareInPull(server, [])
  t.equal(code, 0, stderr)
  t.match(stdout, /b2b2b2b against a1a1a1a/)
  t.strictSame(server.asked, [])
})

t.test('with --fail-on the check fails, and the run has an annotation, a summary and outputs', async t => {
  const server = await startHostingServer(t)
  const { code, commands, summary, outputs } = await compareInPull(server, ['--check', '--fail-on', 'regression'])
  t.not(code, 0)
  t.match(server.checks, [{ conclusion: 'failure' }])
  t.match(withoutMasks(commands), [{ name: 'error', message: /^changed: 1 slower.* b2b2b2b against a1a1a1a/ }])
  t.match(summary, /^### vortex-ingest compare\n\n\*\*changed:\*\*/)
  t.match(outputs, { regressions: '1', exit: String(code) })
})

t.test('a check on the head of a pull request is no success when another commit was judged', async t => {
  const server = await startHostingServer(t)
  const improved = ['compare', HEAD, BASE, '--embedded', '--check']
  const job = { GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: event, GITHUB_SHA: 'c3'.repeat(20) }
  for (const args of [improved, [...improved, '--fail-on', 'regression']]) {
    const { stdout } = await runStep(args, CWD, { env: { ...server.github, ...job } })
    t.match(stdout, /; a1a1a1a against b2b2b2b in /)
  }
  t.strictSame(
    server.checks.map(({ head_sha, conclusion }) => [head_sha, conclusion]),
    [1, 2].map(() => [HEAD, 'neutral']),
  )
})

t.test('--annotate marks each series that regressed, and without --fail-on they are warnings', async t => {
  const server = await startHostingServer(t)
  const { code, commands } = await compareInPull(server, ['--annotate'])
  t.equal(code, 0)
  t.match(withoutMasks(commands), [{ name: 'warning', message: /^slower 3\.000: query_measurement tpc\|h / }])
  t.strictSame([server.comments, server.checks, server.statuses], [[], [], []])
})

t.test('a token that may not create check runs creates a commit status', async t => {
  const refused = json(403, { message: 'You must authenticate via a GitHub App.', status: '403' })
  const server = await startHostingServer(t, {
    instead: ({ path }) => (path.endsWith('/check-runs') ? refused : undefined),
  })
  const { stderr } = await compareInPull(server, ['--check', '--fail-on', 'regression', '--title', 'bench arm64'])
  t.match(stderr, 'check: commit status on commit b2b2b2b')
  t.match(server.statuses, [{ sha: HEAD, state: 'failure', context: 'bench arm64', description: /^changed: 1 slower/ }])
})

t.test('GitLab: a note on the merge request, and a status in the pipeline of the job', async t => {
  const server = await startHostingServer(t)
  const merge = 'c3'.repeat(20)
  const request = { CI_MERGE_REQUEST_IID: '7', CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: HEAD, CI_COMMIT_SHA: merge }
  const job = {
    CI_JOB_NAME: 'bench',
    CI_PIPELINE_ID: '88',
    CI_JOB_ID: '99',
    CI_JOB_URL: 'https://lab.example/-/jobs/99',
  }
  const flags = ['--comment', '--check', '--fail-on', 'regression']
  const env = { ...server.gitlab, ...request, ...job }
  for (let times = 0; times < 2; times++) {
    const { code, stderr } = await runCli(['compare', BASE, HEAD, '--embedded', ...flags], { cwd: CWD, env })
    t.not(code, 0)
    t.notMatch(stderr, 'warning')
  }
  t.equal(server.comments.length, 1)
  t.match(server.comments[0]?.body, /run=88\.99 -->\n### vortex-ingest compare\n\n\*\*changed/)
  t.match(server.statuses[0], {
    sha: merge,
    state: 'failed',
    name: 'vortex-ingest compare',
    pipeline_id: 88,
    target_url: job.CI_JOB_URL,
  })
})

t.test('a failure to publish is a warning without the token, and changes neither output nor exit code', async t => {
  const echo = json(403, { message: `Resource not accessible by ${HOSTING_TOKEN}`, status: '403' })
  const server = await startHostingServer(t, { instead: () => echo })
  const flags = ['--comment', '--check', '--format', 'json']
  const { code, stdout, stderr, commands, log } = await compareInPull(server, flags)
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { command: 'compare', exit_code: 0 })
  t.match(
    stderr,
    /warning: GET .*\/issues\/7\/comments answered 403 \(Resource not accessible by \*\*\*\) \(no comment was made\)/,
  )
  t.match(stderr, /warning: POST .*\/statuses\/.* answered 403 .*\(no check was made\)/)
  t.match(
    stderr,
    'hint: check that the token in GITHUB_TOKEN is valid and has the permissions that docs/ci-github.md names',
  )
  t.notMatch(stdout + log + JSON.stringify(withoutMasks(commands)), HOSTING_TOKEN)

  const down = { GITHUB_API_URL: 'http://127.0.0.1:9' }
  const unreachable = await compareInPull(server, ['--comment'], down)
  t.equal(unreachable.code, 0)
  t.match(unreachable.stderr, /warning: GET http:\/\/127\.0\.0\.1:9: .*ECONNREFUSED.* \(no comment was made\)/)
  const nothing = await compareInPull(server, ['--comment'], { GITHUB_TOKEN: '' })
  t.match(nothing.stderr, 'hint: set GITHUB_TOKEN')
})

t.test('without a pull request there is no comment, and outside of CI nothing is published', async t => {
  const server = await startHostingServer(t)
  const { code, stderr } = await compareInPull(server, ['--comment', '--check'], { GITHUB_EVENT_PATH: '' })
  t.equal(code, 0)
  t.match(stderr, 'no comment was made: the CI run has no pull request')
  t.match(server.checks, [{ head_sha: HEAD }])
  const flags = ['--comment', '--check', '--annotate']
  const outside = await runCli(['compare', BASE, HEAD, '--embedded', ...flags], {
    cwd: CWD,
    env: { GITHUB_TOKEN: 'x' },
  })
  t.equal(outside.code, 0)
  t.match(outside.stderr, 'no check was made: the CI run has no repository on GitHub or GitLab')
})

t.test('certificates are verified, with the authorities that SSL_CERT_FILE names', async (t: Test) => {
  const dir = t.testdir({})
  const authority = await makeAuthority(dir)
  const server = await startHostingServer(t, { certificate: await makeCertificate(dir, { authority }) })
  const trusted = await compareInPull(server, ['--comment'], { SSL_CERT_FILE: authority.file })
  t.match(trusted.stderr, 'comment: created on pull request 7')
  const untrusted = await compareInPull(server, ['--comment'])
  t.equal(untrusted.code, 0)
  t.match(untrusted.stderr, /warning: GET https:.* \(no comment was made\)/)
  t.equal(server.comments.length, 1)
})

t.test('RUNNER_DEBUG turns on the verbose log, unless -q is given', async t => {
  const server = await startHostingServer(t)
  const debug = { RUNNER_DEBUG: '1' }
  t.match((await compareInPull(server, [], debug)).stderr, /^- /m)
  t.notMatch((await compareInPull(server, [])).stderr, /^- /m)
  t.notMatch((await compareInPull(server, ['-q'], debug)).stderr, /^- /m)
})
