/** Answers of GitHub and GitLab that are no use: each fails what was asked, without a crash and within the time limit. */

import t from 'tap'
import { hostedAncestry } from '../../src/hosting/ancestry.js'
import { publish, type Publication } from '../../src/hosting/publish.js'
import { HOSTING_TOKEN, startHostingServer } from '../fixtures/hosting-server.js'
import { json, type Answer } from '../fixtures/http-server.js'

const SHA = 'b2'.repeat(20)
const world = { signal: new AbortController().signal, random: () => 0 }
const gitlabJob = { CI_MERGE_REQUEST_IID: '7', CI_COMMIT_SHA: SHA, CI_PIPELINE_ID: '9' }
// The pull request of a GitHub job is in an event file, that of a Buildkite job in variables.
const githubJob = {
  ...{ GITHUB_ACTIONS: '', BUILDKITE: 'true', BUILDKITE_PULL_REQUEST: '7', BUILDKITE_COMMIT: SHA },
  BUILDKITE_REPO: 'https://github.com/owner/repo',
}

const publication: Publication = {
  ...{ title: 'bench', headline: 'no change', markdown: 'text', conclusion: 'success', sha: SHA },
  ...{ comment: true, check: true },
}

const cut: Answer = response => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
  response.write('[{"id":', () => response.destroy())
}

/** Writes a byte in each turn, so that the connection is never idle. */
const drip: Answer = response => {
  response.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => response.write(' '), 20)
  response.once('close', () => clearInterval(timer))
}

const FAULTS: Readonly<Record<string, { readonly answer: Answer; readonly says: RegExp; readonly limitMs?: number }>> =
  {
    500: { answer: json(500, { message: '500 Internal Server Error' }), says: /answered 500/ },
    '502 with a page': {
      answer: response => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>'),
      says: /answered 502/,
    },
    401: { answer: json(401, { message: `401 Unauthorized ${HOSTING_TOKEN}` }), says: /answered 401/ },
    404: { answer: json(404, { message: '404 Project Not Found' }), says: /answered 404/ },
    302: { answer: response => response.writeHead(302, { location: '/elsewhere' }).end(), says: /answered 302/ },
    'an answer that is cut': { answer: cut, says: /./ },
    'an answer that drips': { answer: drip, says: /has not answered completely within 0\.3 s/, limitMs: 300 },
    'a page instead of JSON': { answer: response => response.end('<html>'), says: /did not answer with JSON/ },
  }

for (const service of ['github', 'gitlab'] as const)
  for (const [name, { answer, says, limitMs }] of Object.entries(FAULTS))
    t.test(`${service}: ${name}`, async t => {
      const server = await startHostingServer(t, { instead: () => answer })
      const env = service === 'gitlab' ? { ...server.gitlab, ...gitlabJob } : { ...server.github, ...githubJob }
      const results = await publish(publication, { ...world, env, limitMs })
      for (const { status, error } of results) {
        t.equal(status, 'failed')
        t.match((error as Error).message, says)
        t.notMatch((error as Error).message, HOSTING_TOKEN)
      }
      const history = hostedAncestry(SHA, { ...world, env: server[service], limit: 10, limitMs })
      await t.rejects(history, { message: says, code: /^(target_|auth_|commit_)/ })
    })

t.test('JSON of another shape is no comment and no history', async t => {
  for (const content of [null, {}, [null], [{ id: 'x', body: 5, parent_ids: 'x' }], 'text']) {
    const server = await startHostingServer(t, { instead: () => json(200, content as object) })
    const env = { ...server.gitlab, ...gitlabJob }
    const [comment] = await publish({ ...publication, check: false }, { ...world, env })
    t.equal(comment?.status, 'done', JSON.stringify(content))
    await t.rejects(hostedAncestry(SHA, { ...world, env, limit: 10 }), { code: 'commit_unknown' })
  }
})
