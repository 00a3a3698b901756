/** The pull request of a CI run, from its variables and from GitHub's event file. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { projectFile } from '../fixtures/cli.js'
import { readPullRequest } from '../../src/commit/pull-request.js'

const [HEAD, MERGE, BASE] = ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40)]

/** Variables of a job for an event of GitHub, whose file holds `event`. */
function githubEvent(name: string, event: unknown): Record<string, string> {
  const file = join(t.testdir(), 'event.json')
  writeFileSync(file, typeof event === 'string' ? event : JSON.stringify(event))
  const run = { GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'owner/repo', GITHUB_SHA: MERGE }
  return { ...run, GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: file }
}

const repo = (name: string): object => ({ id: 186853002, full_name: name, fork: name !== 'owner/repo' })
const head = { label: 'owner:changes', ref: 'changes', sha: HEAD, repo: repo('owner/repo') }
const pull = { number: 7, merged: false, head, base: { ref: 'main', sha: BASE, repo: repo('owner/repo') } }

t.test('on a pull request, GITHUB_SHA is a merge, and the event names the head', async t => {
  const env = githubEvent('pull_request', { action: 'synchronize', number: 7, pull_request: pull })
  const found = readPullRequest(env)
  t.match(found, { number: 7, headSha: HEAD, isFork: false })
  t.equal(found?.isMerge(MERGE), true)
  t.equal(found?.isMerge(HEAD), false)
})

t.test('the recorded event of a pull request, and that of a merge queue', async t => {
  const file = (name: string): string => projectFile(`test/fixtures/hosting/github-${name}-event.json`)
  const run = { GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'Codertocat/Hello-World', GITHUB_SHA: MERGE }
  const opened = { ...run, GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: file('pull-request') }
  const found = readPullRequest(opened)
  t.match(found, { number: 2, headSha: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821', isFork: false })
  t.equal(found?.isMerge(MERGE), true)
  const queued = { ...run, GITHUB_EVENT_NAME: 'merge_group', GITHUB_EVENT_PATH: file('merge-group') }
  t.equal(readPullRequest(queued), undefined)
})

t.test('a fork is another repository, or one that was deleted', async t => {
  for (const from of [repo('someone/repo'), null])
    t.match(
      readPullRequest(githubEvent('pull_request', { pull_request: { ...pull, head: { ...head, repo: from } } })),
      {
        isFork: true,
      },
    )
})

t.test('where GITHUB_SHA is a commit of a branch, it is no merge', async t => {
  const target = readPullRequest(githubEvent('pull_request_target', { pull_request: pull }))
  t.match([target?.number, target?.isMerge(MERGE)], [7, false])
  const closed = readPullRequest(githubEvent('pull_request', { pull_request: { ...pull, merged: true } }))
  t.equal(closed?.isMerge(MERGE), false, 'the merge that the branch has')
  const comment = readPullRequest(githubEvent('issue_comment', { issue: { number: 9, pull_request: { url: 'x' } } }))
  t.match([comment?.number, comment?.headSha, comment?.isMerge(MERGE)], [9, undefined, false])
})

t.test('a merge queue measures the commit that the branch gets, so it has no pull request', async t => {
  const group = { head_sha: MERGE, head_ref: `refs/heads/gh-readonly-queue/main/pr-7-${BASE}`, base_sha: BASE }
  t.equal(readPullRequest(githubEvent('merge_group', { action: 'checks_requested', merge_group: group })), undefined)
})

t.test('an event file that is missing, damaged or of another shape is ignored', async t => {
  for (const event of ['', '{', 'null', '[]', '"x"', '{"pull_request":null}', '{"pull_request":{"number":"x"}}'])
    t.equal(readPullRequest(githubEvent('pull_request', event)), undefined, event)
  for (const path of ['/nowhere', '/dev/zero', '/'])
    t.equal(readPullRequest({ GITHUB_ACTIONS: 'true', GITHUB_EVENT_PATH: path }), undefined, path)
  const comment = githubEvent('issue_comment', { pull_request: null, issue: { number: 9, pull_request: {} } })
  t.match(readPullRequest(comment), { number: 9, isFork: false })
  for (const issue of [null, 5, { number: 9, pull_request: null }])
    t.equal(readPullRequest(githubEvent('issue_comment', { issue })), undefined)
  t.equal(readPullRequest(githubEvent('issue_comment', { issue: { number: 9 } })), undefined, 'an issue')
  t.equal(readPullRequest({ CI: 'true' }), undefined)
})

t.test('GitLab: merged results measure a merge, the merge of a train becomes a commit of the branch', async t => {
  const job = { GITLAB_CI: 'true', CI_COMMIT_SHA: MERGE, CI_MERGE_REQUEST_IID: '7' }
  const projects = { CI_MERGE_REQUEST_PROJECT_ID: '1', CI_MERGE_REQUEST_SOURCE_PROJECT_ID: '1' }
  const merged = { ...job, ...projects, CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: HEAD }

  const results = readPullRequest({ ...merged, CI_MERGE_REQUEST_EVENT_TYPE: 'merged_result' })
  t.match(results, { number: 7, headSha: HEAD, isFork: false })
  t.same(
    [MERGE, HEAD].map(sha => results?.isMerge(sha)),
    [true, false],
  )
  const train = readPullRequest({ ...merged, CI_MERGE_REQUEST_EVENT_TYPE: 'merge_train' })
  t.same([train?.headSha, train?.isMerge(MERGE)], [HEAD, false])

  const detached = { ...job, CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: '', CI_MERGE_REQUEST_EVENT_TYPE: 'detached' }
  const branch = readPullRequest({
    ...detached,
    CI_MERGE_REQUEST_PROJECT_ID: '1',
    CI_MERGE_REQUEST_SOURCE_PROJECT_ID: '2',
  })
  t.match([branch?.headSha, branch?.isMerge(MERGE), branch?.isFork], [MERGE, false, true])
  t.equal(readPullRequest({ GITLAB_CI: 'true', CI_COMMIT_SHA: MERGE }), undefined, 'a branch')
})

t.test('Buildkite: the commit is the head, and a merge is any other commit where merges are built', async t => {
  const job = { BUILDKITE: 'true', BUILDKITE_COMMIT: HEAD, BUILDKITE_REPO: 'git@github.com:owner/repo.git' }
  const request = { ...job, BUILDKITE_PULL_REQUEST: '7', BUILDKITE_PULL_REQUEST_REPO: job.BUILDKITE_REPO }
  const plain = readPullRequest(request)
  t.match([plain?.number, plain?.headSha, plain?.isMerge(MERGE), plain?.isFork], [7, HEAD, false, false])
  const merging = readPullRequest({ ...request, BUILDKITE_PULL_REQUEST_USING_MERGE_REFSPEC: 'true' })
  t.same(
    [MERGE, HEAD].map(sha => merging?.isMerge(sha)),
    [true, false],
  )
  t.equal(readPullRequest({ ...job, BUILDKITE_PULL_REQUEST: 'false' }), undefined)
})
