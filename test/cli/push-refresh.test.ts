/** The site that shows the rows is told after they are in Postgres, and whatever it answers the push has its own end. */

import t from 'tap'
import { runCli, type CliResult } from '../fixtures/cli.js'
import {
  applied,
  json,
  startAnswering,
  startHttpServer,
  type Answer,
  type TestServer,
} from '../fixtures/http-server.js'
import { startMigratedPostgres } from './fixtures/database.js'
import type { PushReport } from '../../src/reports/delivery.js'
import { pushArgs, TOKEN } from './fixtures/pushing.js'
import { jsonl, query } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'

const { createDatabase } = await startMigratedPostgres(t)
const database = await createDatabase()
const dir = t.testdir({ 'f.jsonl': jsonl([query()]), 'bad.jsonl': '{}\n' })
const SECRET = 'hush-site'
/** For how long a dead database is tried again. */
const BRIEFLY = ['--retry-deadline', '1']

type Ended = CliResult & { readonly report: PushReport }

async function push(site: string, args: readonly string[] = ['--postgres', database.url]): Promise<Ended> {
  const env = { BENCH_SITE_BASE_URL: site, BENCH_REVALIDATE_TOKEN: SECRET, INGEST_BEARER_TOKEN: TOKEN }
  const result = await runCli(pushArgs(dir, '--format', 'json', 'f.jsonl', ...args), { cwd: dir, env })
  t.notMatch(result.stdout + result.stderr, SECRET)
  return { ...result, report: JSON.parse(result.stdout) as PushReport }
}

function startSite(answer: Answer = json(200, { groups: [{ slug: 'a' }, { slug: 'b' }] })): Promise<TestServer> {
  return startHttpServer(t, { answer: () => answer })
}

const paths = ({ asked }: TestServer): readonly string[] => asked.map(({ method, path }) => `${method} ${path}`)

t.test('a site is revalidated and warmed after the rows are stored', async t => {
  let rowsWhenTold: number | undefined
  const site = await startSite(async (response, asked) => {
    rowsWhenTold ??= await database.countRows()
    json(200, { groups: [{ slug: 'a' }, { slug: 'b' }] })(response, asked)
  })
  const { code, stdout, stderr, report } = await push(site.url)
  t.equal(code, 0)
  t.equal(stderr, '')
  t.equal(rowsWhenTold, 1)
  t.strictSame(report.site, { revalidated: true, warmed: 4, problems: [] })
  t.strictSame(schemaErrors('push-report', stdout), [])
  t.equal(site.asked[0]?.headers.authorization, `Bearer ${SECRET}`)
  t.strictSame(paths(site).toSorted(), [
    ...['GET /', 'GET /api/group/a?n=100', 'GET /api/group/b?n=100', 'GET /api/groups', 'POST /api/revalidate'],
  ])
})

t.test('--no-warm only revalidates, --no-revalidate does neither', async t => {
  const told = await startSite()
  t.match((await push(told.url, ['--postgres', database.url, '--no-warm'])).report.site, {
    revalidated: true,
    warmed: 0,
  })
  t.strictSame(paths(told), ['POST /api/revalidate'])
  const quiet = await startSite()
  t.equal((await push(quiet.url, ['--postgres', database.url, '--no-revalidate'])).report.site, null)
  t.strictSame(paths(quiet), [])
})

t.test('the site is not revalidated without rows in Postgres', async t => {
  const site = await startSite()
  const server = await startAnswering(t, applied)
  const dead = database.url.replace(/:\d+\//, ':1/')
  for (const args of [
    ['--postgres', dead, ...BRIEFLY],
    ['--server', server.url],
    ['--server', server.url, '--postgres', dead, ...BRIEFLY],
    ['bad.jsonl', '--postgres', database.url],
    ['--postgres', database.url, '--dry-run'],
    ['--embedded', 'store'],
  ])
    t.equal((await push(site.url, args)).report.site, null, args.join(' '))
  t.strictSame(paths(site), [])
})

t.test('the site is revalidated although the server is down', async t => {
  const site = await startSite()
  const args = ['--server', 'http://127.0.0.1:1', '--retries', '0', '--postgres', database.url]
  const { code, report } = await push(site.url, args)
  t.equal(code, 69)
  t.match(report.site, { revalidated: true })
})

t.test('a site that does not take it is one line of warning, and the push ends as it would', async t => {
  const many = { groups: Array.from({ length: 20 }, (_, index) => ({ slug: String(index) })) }
  const halfDead: Answer = (response, asked) => {
    const status = asked.path.startsWith('/api/group/') ? 500 : 200
    json(status, many)(response, asked)
  }
  for (const [url, says] of [
    ['http://127.0.0.1:1', /the site was not notified: POST http:\/\/127\.0\.0\.1:1\/api\/revalidate: .*ECONNREFUSED/],
    [(await startSite(json(401, {}))).url, /the site was not notified: POST \S+ answered 401/],
    [(await startSite(json(503, {}))).url, /the site was not notified: POST \S+ answered 503/],
    [(await startSite(response => response.socket?.end('garbage\n'))).url, /the site was not notified: POST/],
    [
      (await startSite(halfDead)).url,
      /the site was notified, but not all pages are warm: GET \S+ answered 500 \(and 19 more\)/,
    ],
    ['no URL', /the site was not notified: BENCH_SITE_BASE_URL is not a URL/],
    [`https://u:${SECRET}@h`, /the site was not notified: BENCH_SITE_BASE_URL holds a user/],
  ] as const) {
    const { code, stderr } = await push(url)
    t.equal(code, 0, stderr)
    t.match(stderr, /^warning: .*\n$/)
    t.match(stderr, says)
  }
})

t.test('a site that is slow holds the push up for so long and no longer', async t => {
  const site = await startSite(() => undefined)
  const startedAt = Date.now()
  const { code, stderr } = await push(site.url)
  t.equal(code, 0)
  t.match(stderr, /no answer for 10 s/)
  t.ok(Date.now() - startedAt < 20_000)
})

t.test('without an address or a token no site is revalidated', async t => {
  const site = await startSite()
  for (const env of [{ BENCH_SITE_BASE_URL: site.url }, { BENCH_REVALIDATE_TOKEN: SECRET }, {}]) {
    const args = pushArgs(dir, '--format', 'json', 'f.jsonl', '--postgres', database.url)
    const { code, stdout, stderr } = await runCli(args, { cwd: dir, env: env })
    t.equal(code, 0)
    t.equal(stderr, '')
    t.match(JSON.parse(stdout), { site: null })
  }
  t.strictSame(paths(site), [])
})
