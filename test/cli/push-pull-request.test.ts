/** The commit of a push in a job for a pull request, with a clone that has only the merge. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { commit, git, ORIGIN, repository } from '../commit/fixtures/repository.js'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { HOSTING_TOKEN, startHostingServer, type HostingServerOptions } from '../fixtures/hosting-server.js'
import { applied, startAnswering, type Asked } from '../fixtures/http-server.js'
import { query, writeLines } from '../fixtures/records.js'

/** A pull request with its head and the merge that GitHub made, and a shallow clone of that merge. */
function pullRequest(t: Test): {
  readonly origin: string
  readonly clone: string
  readonly head: string
  readonly merge: string
} {
  const dir = t.testdir({})
  const [origin, clone] = [join(dir, 'origin'), join(dir, 'clone')]
  repository(origin)
  git(origin, ['checkout', '--quiet', '-b', 'changes'])
  const head = commit(origin, 'Read fewer\nbytes\n\nBecause fewer is faster.\n')
  git(origin, ['checkout', '--quiet', 'main'])
  commit(origin, 'meanwhile')
  git(origin, ['checkout', '--quiet', '--detach'])
  git(origin, ['merge', '--quiet', '--no-ff', '-m', 'Merge', 'changes'])
  const merge = git(origin, ['rev-parse', 'HEAD'])
  git(origin, ['update-ref', 'refs/pull/7/merge', merge])
  git(dir, ['init', '--quiet', 'clone'])
  git(clone, ['fetch', '--quiet', '--depth=1', `file://${origin}`, 'refs/pull/7/merge'])
  git(clone, ['checkout', '--quiet', 'FETCH_HEAD'])
  git(clone, ['remote', 'add', 'origin', `${ORIGIN}.git`])
  const pull = { number: 7, head: { sha: head, repo: { full_name: 'owner/repo' } } }
  writeFileSync(join(clone, 'event.json'), JSON.stringify({ action: 'opened', number: 7, pull_request: pull }))
  return { origin, clone, head, merge }
}

type Pushed = CliResult & {
  readonly asked: readonly Asked[]
  readonly commit: Record<string, string> | undefined
  /** The header with the ancestors of the commit. */
  readonly ancestry: unknown
}

/** Pushes one record of `sha` in a job for the pull request. */
async function pushed(
  t: Test,
  sha: string,
  { origin, clone, merge, ...options }: ReturnType<typeof pullRequest> & Pick<HostingServerOptions, 'instead'>,
): Promise<Pushed> {
  const [hosting, ingest] = [
    await startHostingServer(t, { repository: origin, ...options }),
    await startAnswering(t, applied),
  ]
  writeLines(clone, 'results.jsonl', [query({ commit_sha: sha })])
  const event = { GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: join(clone, 'event.json'), GITHUB_SHA: merge }
  const env = { ...hosting.github, ...event, GITHUB_RUN_ID: '5' }
  const result = await runCli(['push', 'results.jsonl', '--server', ingest.url], { cwd: clone, env })
  const body = JSON.parse(ingest.asked[0]?.body?.toString() ?? '{}') as { readonly commit?: Record<string, string> }
  const ancestry = ingest.asked[0]?.headers['vortex-ingest-ancestry']
  return { ...result, asked: hosting.asked, commit: body.commit, ancestry }
}

t.test('records of the head are stored with its fields, though the clone has only the merge', async t => {
  const pull = pullRequest(t)
  const { code, stderr, commit, ancestry } = await pushed(t, pull.head, pull)
  t.equal(code, 0, stderr)
  t.notMatch(stderr, 'warning')
  t.equal(ancestry, `${git(pull.origin, ['rev-parse', `${pull.head}^`])}; ; partial; pull-request`)
  const tree = git(pull.origin, ['rev-parse', `${pull.head}^{tree}`])
  t.match(commit, { sha: pull.head, message: 'Read fewer bytes', tree_sha: tree, url: `${ORIGIN}/commit/${pull.head}` })
  t.match(commit, { author_name: 'Zoë Żółć 李', committer_email: 'bot@example.org', timestamp: '2026-01-31T06:30:00Z' })
})

t.test('records of the merge are stored as they are, with a warning that names the head', async t => {
  const pull = pullRequest(t)
  const { code, stderr, commit, asked, ancestry } = await pushed(t, pull.merge, pull)
  t.equal(code, 0, stderr)
  t.equal(commit?.['sha'], pull.merge)
  t.match(ancestry, /; pull-request$/)
  t.match(stderr, `warning: the records name the merge ${pull.merge.slice(0, 7)} that CI made for pull request 7`)
  t.match(stderr, `hint: check out and measure the head ${pull.head} of the pull request`)
  t.equal(asked.length, 0)
})

t.test('where GitHub does not answer either, the error is that of git, and no token is shown', async t => {
  const pull = pullRequest(t)
  const instead: HostingServerOptions['instead'] = () => response => response.writeHead(403).end(`no ${HOSTING_TOKEN}`)
  const { code, stdout, stderr } = await pushed(t, pull.head, { ...pull, instead })
  t.equal(code, 78, stderr)
  t.match(stderr, /warning: the commit could not be read from the hosting service: GET .* answered 403 \(no \*\*\*\)/)
  t.match(stderr, `error: commit ${pull.head} is not in this repository`)
  t.notMatch(stdout + stderr.replace(/^::add-mask::.*$/gm, ''), HOSTING_TOKEN)
})

t.test('a commit that is not the head of the pull request is not looked up', async t => {
  const pull = pullRequest(t)
  const { code, asked } = await pushed(t, '0'.repeat(40), pull)
  t.same([code, asked.length], [78, 0])
})
