/** The first-parent history of a commit, read from the APIs of GitHub and GitLab. */

import t from 'tap'
import { hostedAncestry } from '../../src/hosting/ancestry.js'
import { ENV, git, repository } from '../commit/fixtures/repository.js'
import { json } from '../fixtures/http-server.js'
import { HOSTING_TOKEN, startHostingServer } from '../fixtures/hosting-server.js'

const world = { signal: new AbortController().signal, random: () => 0 }

/** A history of 160 merges of branches with two commits each, which needs several answers. */
const DIR = t.testdir()
repository(DIR)
git(DIR, ['fast-import', '--quiet', '--force'], mergesAfter(git(DIR, ['rev-parse', 'HEAD'])))
const MAIN = git(DIR, ['rev-list', '--first-parent', 'main']).split('\n')

function mergesAfter(first: string): string {
  const lines: string[] = []
  const add = (mark: number, parents: readonly string[]): void => {
    const person = `A <a@example.org> ${1_770_000_000 + mark * 60} +0000`
    lines.push('commit refs/heads/main', `mark :${mark}`, `committer ${person}`, 'data 1\nx', `from ${parents[0]}`)
    if (parents[1] !== undefined) lines.push(`merge ${parents[1]}`)
    lines.push('')
  }
  let tip = first
  for (let mark = 1; mark <= 480; mark += 3) {
    add(mark, [tip])
    add(mark + 1, [`:${mark}`])
    add(mark + 2, [tip, `:${mark + 1}`])
    tip = `:${mark + 2}`
  }
  return `${lines.join('\n')}\n`
}

t.test('GitHub lists the commits of all parents, and the history follows only the first', async t => {
  const server = await startHostingServer(t, { repository: DIR })
  t.equal(MAIN.length, 161)
  const env = { ...ENV, ...server.github }
  const all = await hostedAncestry(MAIN[0]!, { ...world, env, limit: 1000 })
  t.strictSame(all, { shas: MAIN, isComplete: true })
  t.ok(server.asked.length > 2, 'it takes several answers')
  t.strictSame(await hostedAncestry(MAIN[3]!, { ...world, env, limit: 50 }), {
    shas: MAIN.slice(3, 53),
    isComplete: true,
  })
})

t.test('GitLab lists first parents itself', async t => {
  const server = await startHostingServer(t, { repository: DIR })
  const env = { ...ENV, ...server.gitlab }
  t.strictSame(await hostedAncestry(MAIN[0]!, { ...world, env, limit: 1000 }), { shas: MAIN, isComplete: true })
  t.equal(server.asked.length, 2)
  t.match(server.asked[0]?.headers, { 'private-token': HOSTING_TOKEN })
})

t.test('a repository on another service has no such history, and its token is not sent elsewhere', async t => {
  const server = await startHostingServer(t, { repository: DIR })
  const env = { ...ENV, ...server.github }
  const repoUrl = 'https://git.example.org/owner/repo'
  t.equal(await hostedAncestry(MAIN[0]!, { ...world, env, repoUrl, limit: 10 }), undefined)
  t.equal(await hostedAncestry(MAIN[0]!, { ...world, env: ENV, limit: 10 }), undefined, 'outside of CI')
  t.equal(server.asked.length, 0)
})

t.test(
  'an overloaded service is asked again, and a refusal names the variable of the token but not the token',
  async t => {
    let failures = 2
    const server = await startHostingServer(t, {
      repository: DIR,
      instead: () => (failures-- > 0 ? json(503, { message: 'Service Unavailable' }) : undefined),
    })
    const env = { ...ENV, ...server.github }
    t.match(await hostedAncestry(MAIN[0]!, { ...world, env, limit: 1 }), { shas: [MAIN[0]] })

    const denied = { ...env, GITHUB_TOKEN: 'wrong-token' }
    const refusal = hostedAncestry(MAIN[0]!, { ...world, env: denied, limit: 1 })
    await t.rejects(refusal, {
      code: 'auth_failed',
      message: /answered 401 \(Bad credentials\)/,
      hint: /in GITHUB_TOKEN/,
    })
    const without = hostedAncestry(MAIN[0]!, { ...world, env: { ...env, GITHUB_TOKEN: undefined }, limit: 1 })
    await t.rejects(without, { code: 'auth_failed', hint: 'set GITHUB_TOKEN' })
    await t.rejects(hostedAncestry('0'.repeat(40), { ...world, env, limit: 1 }), { message: /answered 404/ })
  },
)

t.test('a limit of the rate that lasts long fails at once', async t => {
  const limited = json(403, { message: 'API rate limit exceeded' }, { 'x-ratelimit-remaining': '0' })
  const server = await startHostingServer(t, { instead: () => limited })
  const asking = hostedAncestry(MAIN[0]!, { ...world, env: { ...ENV, ...server.github }, limit: 1 })
  await t.rejects(asking, { code: 'target_busy', message: /API rate limit exceeded/ })
  t.equal(server.asked.length, 1)
})
