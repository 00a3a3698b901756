import t, { type Test } from 'tap'
import { setTimeout } from 'node:timers/promises'
import { refreshSite, type Refreshed } from '../../src/delivery/refresh-site.js'
import { json, startHttpServer, type Answer, type TestServer } from '../fixtures/http-server.js'
import { waitUntil } from '../fixtures/wait-until.js'

const SLUGS = Array.from({ length: 30 }, (_, index) => `group ${index}/ä`)
const groups = { groups: SLUGS.map(slug => ({ slug, nested: [{ slug: 'inner' }] })) }

type Site = { readonly [path: string]: Answer }

const GOOD: Site = {
  '/api/revalidate': json(200, { revalidated: true }),
  '/': response => response.end('<html>'),
  '/api/groups': json(200, groups),
}

/** Starts a site that answers after a short delay, with 200 by default. */
function startSite(t: Test, site: Site = {}): Promise<TestServer> {
  const answer =
    (path: string): Answer =>
    async (response, asked) => {
      await setTimeout(5)
      await ({ ...GOOD, ...site }[path] ?? json(200, {}))(response, asked)
    }
  return startHttpServer(t, { answer: (_, { path }) => answer(path) })
}

function refresh(
  url: string,
  options: { readonly warm?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Refreshed> {
  const address = { base: new URL(url), token: 'hush', proxy: undefined, authorities: [] }
  return refreshSite({ address, warm: true, signal: new AbortController().signal, ...options })
}

t.test('the site is revalidated with its token, then every page is fetched without it', async t => {
  const site = await startSite(t)
  t.strictSame(await refresh(site.url), { revalidated: true, warmed: 33, problems: [] })
  const [told, ...pages] = site.asked
  t.match(told, { method: 'POST', path: '/api/revalidate', headers: { authorization: 'Bearer hush' } })
  const paths = [...SLUGS, 'inner'].map(slug => `/api/group/${encodeURIComponent(slug)}?n=100`)
  t.strictSame(pages.map(({ path }) => path).sort(), ['/', '/api/groups', ...paths].sort())
  t.ok(pages.every(({ method, headers }) => method === 'GET' && headers.authorization === undefined))
})

t.test('four pages at a time and no more', async t => {
  const site = await startSite(t)
  await refresh(site.url)
  t.equal(site.atOnce, 4)
})

t.test('a site below a path is asked below it', async t => {
  const site = await startSite(t)
  await refresh(`${site.url}/bench`, { warm: false })
  t.equal(site.asked[0]?.path, '/bench/api/revalidate')
})

t.test('it need not be warmed', async t => {
  const site = await startSite(t)
  t.strictSame(await refresh(site.url, { warm: false }), { revalidated: true, warmed: 0, problems: [] })
  t.equal(site.asked.length, 1)
})

t.test('nothing is warmed where the site does not take the news', async t => {
  for (const [status, body] of [
    [401, { error: 'unauthorized' }],
    [503, { error: 'not_configured' }],
    [302, {}],
    [204, {}],
  ] as const) {
    const site = await startSite(t, { '/api/revalidate': json(status, body) })
    const { revalidated, warmed, problems } = await refresh(site.url)
    t.strictSame({ revalidated, warmed }, { revalidated: false, warmed: 0 })
    t.match(problems, [`POST ${site.url}/api/revalidate answered ${status}`])
    t.equal(site.asked.length, 1)
  }
})

t.test("the problem quotes the site's answer on one line, without the token", async t => {
  const site = await startSite(t, {
    '/api/revalidate': response => response.writeHead(500).end('no such secret: hush\u0007\nat line 1'),
  })
  const { problems } = await refresh(site.url)
  t.strictSame(problems, [`POST ${site.url}/api/revalidate answered 500 (no such secret: ***\\u0007)`])
})

t.test('a site that is not there is one problem', async t => {
  const { revalidated, problems } = await refresh('http://127.0.0.1:1')
  t.equal(revalidated, false)
  t.match(problems, [/^POST http:\/\/127\.0\.0\.1:1\/api\/revalidate: .*ECONNREFUSED/])
})

t.test('groups that are not JSON are a problem', async t => {
  for (const [text, said] of [
    ['\n<html>\n', ' (<html>)'],
    ['', ''],
    ['{"slug":"a"', ' ({"slug":"a")'],
  ] as const) {
    const site = await startSite(t, { '/api/groups': response => response.end(text) })
    const problems = [`GET ${site.url}/api/groups answered 200, but not with JSON${said}`]
    t.strictSame(await refresh(site.url), { revalidated: true, warmed: 2, problems }, text)
  }
})

t.test('groups that are too many to be read are a problem', async t => {
  const many = JSON.stringify(
    Array.from({ length: 100_000 }, (_, slug) => ({ slug: `group ${slug} ${'x'.repeat(40)}` })),
  )
  const site = await startSite(t, { '/api/groups': response => response.end(many) })
  t.match((await refresh(site.url)).problems, [/\/api\/groups answered more than 4 MiB, so no group was fetched$/])
})

t.test('an invalid list of groups still warms the other pages', async t => {
  for (const text of ['null', '7', '{"slug":7}', '[{"slug":null}]']) {
    const site = await startSite(t, { '/api/groups': response => response.end(text) })
    t.strictSame(await refresh(site.url), { revalidated: true, warmed: 2, problems: [] }, text)
  }
})

t.test('pages that fail are problems, and the others are warmed', async t => {
  const site = await startSite(t, { '/': json(500, {}), '/api/group/inner?n=100': json(404, {}) })
  const { warmed, problems } = await refresh(site.url)
  t.equal(warmed, 31)
  t.match(problems.toSorted(), [/\/ answered 500/, /api\/group\/inner\?n=100 answered 404/])
})

t.test('an abort stops it without throwing', async t => {
  const site = await startSite(t, { '/api/revalidate': () => undefined })
  const controller = new AbortController()
  const refreshed = refresh(site.url, { signal: controller.signal })
  await waitUntil(() => site.asked.length > 0)
  controller.abort(new Error('interrupted'))
  t.match(await refreshed, { revalidated: false, problems: [/interrupted/] })
})

t.test('authorities that cannot be read are a problem, not a throw', async t => {
  const address = { base: new URL('https://h'), token: 'hush', proxy: undefined, authorities: ['/nowhere.pem'] }
  const { signal } = new AbortController()
  t.match(await refreshSite({ address, warm: true, signal }), { revalidated: false, problems: [/nowhere\.pem/] })
})
