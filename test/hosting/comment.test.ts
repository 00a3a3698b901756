/** One comment on a pull request that is kept up to date, on GitHub and on GitLab. */

import t, { type Test } from 'tap'
import type { CiAttempt } from '../../src/contract/generation.js'
import { HostingClient } from '../../src/hosting/client.js'
import { keepComment, type StickyComment } from '../../src/hosting/comment.js'
import { findHosting } from '../../src/hosting/hosting.js'
import {
  AUTHOR,
  startHostingServer,
  type HostingServer,
  type HostingServerOptions,
} from '../fixtures/hosting-server.js'
import { json } from '../fixtures/http-server.js'

const SERVICES = ['github', 'gitlab'] as const

async function opened(
  t: Test,
  service: (typeof SERVICES)[number],
  options: HostingServerOptions = {},
): Promise<{ readonly server: HostingServer; readonly client: HostingClient }> {
  const server = await startHostingServer(t, options)
  const world = { env: server[service], signal: new AbortController().signal, random: () => 0 }
  const client = await HostingClient.open(findHosting(world.env)!, world)
  t.teardown(() => client.close())
  return { server, client }
}

const attempt = (run: number, attempt = 1): CiAttempt => ({ producer: 'test', run, attempt })
const text = (body: string, more: Partial<StickyComment> = {}): StickyComment => ({
  ...{ number: 7, title: 'bench', body, attempt: undefined },
  ...more,
})
const shown = ({ comments }: HostingServer): readonly string[] =>
  comments.map(({ body }) => body.split('\n').slice(1).join('\n'))

for (const service of SERVICES) {
  t.test(`${service}: the second run updates the comment of the first, among many others`, async t => {
    const { server, client } = await opened(t, service)
    for (let id = 1; id <= 250; id++) server.comments.push({ id, author: 5, body: `comment ${id}` })
    t.equal(await keepComment(client, text('one', { attempt: attempt(1) })), 'created')
    t.equal(await keepComment(client, text('two', { attempt: attempt(2) })), 'updated')
    t.strictSame(shown(server).slice(250), ['two'])
    t.match(server.comments[250]?.body, /^<!-- vortex-ingest compare bench run=2\.1 -->\ntwo$/)
  })

  t.test(`${service}: another title is another comment, even one that tries to end the marker`, async t => {
    const { server, client } = await opened(t, service)
    for (const title of ['bench', 'bench arm64', '--> run=9.9']) {
      await keepComment(client, text(`one of ${title}`, { title, attempt: attempt(1) }))
      await keepComment(client, text(`two of ${title}`, { title, attempt: attempt(2) }))
    }
    t.strictSame(shown(server), ['two of bench', 'two of bench arm64', 'two of --> run=9.9'])
  })

  t.test(`${service}: a run that ends after a later run leaves the later comment`, async t => {
    const { server, client } = await opened(t, service)
    await keepComment(client, text('later', { attempt: attempt(10, 1) }))
    t.equal(await keepComment(client, text('earlier', { attempt: attempt(9, 2) })), 'outdated')
    t.strictSame(shown(server), ['later'])
    t.equal(await keepComment(client, text('again', { attempt: attempt(10, 2) })), 'updated')
  })

  t.test(`${service}: two jobs that both find no comment leave one, with the text of the later run`, async t => {
    const searches: (() => void)[] = []
    const { server, client } = await opened(t, service, {
      // Answers the first two searches together, and both with no comment.
      instead: ({ method, path }) => {
        if (method !== 'GET' || !path.includes('per_page') || searches.length >= 2) return undefined
        return (response, asked) => {
          searches.push(() => json(200, [])(response, asked))
          if (searches.length === 2) for (const answer of searches) answer()
        }
      },
    })
    await Promise.all([
      keepComment(client, text('later', { attempt: attempt(2) })),
      keepComment(client, text('earlier', { attempt: attempt(1) })),
    ])
    t.equal(searches.length, 2)
    t.strictSame(shown(server), ['later'])
  })

  t.test(`${service}: a comment whose answer was lost is not created again`, async t => {
    let lost = 0
    const { server, client } = await opened(t, service, {
      instead: ({ method, body }) => {
        if (method !== 'POST' || lost++ > 0) return undefined
        const content = JSON.parse(body?.toString() ?? '') as { readonly body: string }
        server.comments.push({ id: 1, author: AUTHOR, ...content })
        return response => response.socket?.resetAndDestroy()
      },
    })
    await keepComment(client, text('one', { attempt: attempt(1) }))
    t.strictSame([lost, shown(server)], [1, ['one']])
  })

  t.test(`${service}: a copy of the comment by somebody else is neither changed nor obeyed`, async t => {
    const { server, client } = await opened(t, service)
    const copy = '<!-- vortex-ingest compare bench run=999999.1 -->\ncopy'
    server.comments.push({ id: 1, author: 5, body: copy })
    t.equal(await keepComment(client, text('one', { attempt: attempt(1) })), 'created')
    t.strictSame(shown(server), ['copy', 'one'])
  })
}

t.test('a user with a token of their own changes only their own comments', async t => {
  const { server, client } = await opened(t, 'github', {
    instead: ({ path }) => (path === '/user' ? json(200, { login: 'someone', id: 5, type: 'User' }) : undefined),
  })
  await keepComment(client, text('of the bot'))
  server.comments.push({ id: 2000, author: 5, body: '<!-- vortex-ingest compare bench -->\nmine' })
  t.equal(await keepComment(client, text('mine again')), 'updated')
  t.strictSame(shown(server), ['of the bot', 'mine again'])
})

t.test('a rate limit that lasts is reported at once, and a short one is waited for', async t => {
  const limits = [
    json(429, { message: 'slow down' }, { 'retry-after': '3600' }),
    json(403, { message: 'API rate limit exceeded' }, { 'x-ratelimit-remaining': '0' }),
  ]
  for (const limit of limits) {
    const { server, client } = await opened(t, 'github', {
      instead: ({ path }) => (path === '/user' ? undefined : limit),
    })
    await t.rejects(keepComment(client, text('one')), { code: 'target_busy' })
    t.equal(server.asked.filter(({ path }) => path.includes('/comments')).length, 1)
  }
  let refused = 0
  const short = json(429, { message: 'slow down' }, { 'retry-after': '0' })
  const { client } = await opened(t, 'github', { instead: () => (refused++ === 0 ? short : undefined) })
  t.equal(await keepComment(client, text('one')), 'created')
})
