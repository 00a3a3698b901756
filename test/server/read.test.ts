/** Tests what the read routes return for stored records. */

import t from 'tap'
import { KIND_NAMES, line, sizeLine } from '../fixtures/records.js'
import { groupSlug, parseGroupSlug } from '../../src/server/read/groups.js'
import { CONTRACT, SCHEMA_VERSION } from '../../src/contract/kinds.js'
import type { Store } from '../../src/server/store/store.js'
import { commit, envelope } from './fixtures/envelopes.js'
import { get, post, REVALIDATE_TOKEN, startServer, type Running } from './fixtures/server.js'
import { emptyTables, startStore } from './fixtures/store.js'
import { waitUntil } from '../fixtures/wait-until.js'

const store = await startStore(t)

type Page = { readonly measurements: readonly Record<string, unknown>[]; readonly next: string | null }

async function page(server: Running, query: string): Promise<Page> {
  const { status, body } = await get(server, `/api/measurements?${query}`)
  t.equal(status, 200)
  return body as Page
}

t.test('a measurement comes back digit for digit, column by column', async t => {
  const server = await startServer(t, { store })
  const odd = {
    value_ns: '9223372036854775807',
    all_runtimes_ns: '[-9223372036854775808,0,9007199254740993]',
    threshold: '-0.0',
    flavor: '"a\\"\\\\\\n\\u2028"',
    env_triple: 'null',
  }
  await post(server, envelope([line('vector_search_run', odd)]))
  const { text } = await get(server, '/api/measurements?commit=0123456789abcdef0123456789abcdef01234567')
  t.match(text, '"value_ns":9223372036854775807,"all_runtimes_ns":[-9223372036854775808,0,9007199254740993]')
  t.match(text, '"threshold":-0,')
  t.match(JSON.parse(text), { measurements: [{ flavor: 'a"\\\n\u2028', env_triple: null, kind: 'vector_search_run' }] })
  t.match(text, /"measurement_id":"-?\d+"/)
  await emptyTables(store)
})

t.test('a commit is read in pages, each measurement once, over all kinds or of one', async t => {
  const server = await startServer(t, { store })
  const records = Array.from({ length: 30 }, (_, index) =>
    KIND_NAMES.map(kind => line(kind, { dataset: `"set-${index}"` })),
  ).flat()
  await post(server, envelope(records))
  await post(server, envelope([sizeLine('other', { commit_sha: '"other"' })], { commit: commit('other') }))
  const sha = '0123456789abcdef0123456789abcdef01234567'
  const seen: string[] = []
  for (let after = '', pages = 0; pages < 30; pages++) {
    const { measurements, next } = await page(server, `commit=${sha}&limit=7${after}`)
    t.ok(measurements.length <= 7)
    seen.push(...measurements.map(row => String(row['measurement_id'])))
    if (next === null) break
    after = `&after=${next}`
  }
  t.equal(seen.length, 150)
  t.strictSame(
    seen,
    [...new Set(seen)].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)),
  )
  const sizes = await page(server, `commit=${sha}&kind=compression_size&limit=100`)
  t.equal(sizes.measurements.length, 30)
  t.equal(sizes.next, null)
  t.equal((await page(server, 'commit=other')).measurements.length, 1)
  t.strictSame(await page(server, 'commit=unknown'), { commit: 'unknown', measurements: [], next: null })
  await emptyTables(store)
})

t.test('groups are listed with their series, and each shows the last commits', async t => {
  const server = await startServer(t, { store })
  t.strictSame((await get(server, '/api/groups')).body, { groups: [] })
  for (const [index, sha] of ['first', 'second', 'third'].entries()) {
    const at = commit(sha, { timestamp: `2026-01-0${index + 1}T00:00:00Z` })
    const query = (changes: Readonly<Record<string, string>>): string =>
      line('query_measurement', { commit_sha: `"${sha}"`, dataset_variant: 'null', ...changes })
    await post(
      server,
      envelope([query({ query_idx: '1' }), query({ query_idx: '2' }), query({ storage: '"s3"' })], { commit: at }),
    )
  }
  const { groups } = (await get(server, '/api/groups')).body as { groups: readonly Record<string, unknown>[] }
  t.strictSame(
    groups.map(({ slug, series }) => [slug, series]),
    [
      ['query_measurement.tpch.~.10.nvme', 2],
      ['query_measurement.tpch.~.10.s3', 1],
    ],
  )
  t.match(groups[0], { name: 'query_measurement tpch 10 nvme', kind: 'query_measurement', dataset_variant: null })
  for (const [n, commits] of [
    ['2', ['third', 'second']],
    ['0', ['third']],
    ['-5', ['third']],
    ['1000000', ['third', 'second', 'first']],
  ] as const) {
    const { body } = await get(server, `/api/group/query_measurement.tpch.~.10.nvme?n=${n}`)
    const group = body as { commits: { commit_sha: string }[]; measurements: { commit_sha: string; storage: string }[] }
    t.strictSame(
      group.commits.map(({ commit_sha }) => commit_sha),
      commits,
      n,
    )
    t.equal(group.measurements.length, 2 * commits.length)
    t.ok(group.measurements.every(({ storage }) => storage === 'nvme'))
  }
  await emptyTables(store)
})

t.test('a group of many measurements is sent whole', async t => {
  const server = await startServer(t, { store })
  const records = Array.from({ length: 2_500 }, (_, index) => line('query_measurement', { query_idx: String(index) }))
  await post(server, envelope(records))
  const { body } = await get(server, '/api/group/query_measurement.tpch.clustered.10.nvme')
  t.equal((body as unknown as Page).measurements.length, 2_500)
  await emptyTables(store)
})

t.test('an answer that breaks off has no end, and the log says why', async t => {
  const records = Array.from({ length: 1_500 }, (_, index) => line('query_measurement', { query_idx: String(index) }))
  let reads = 0
  const dying: Store = {
    ...store,
    read: work => (++reads > 2 ? Promise.reject(new Error('lost on the way')) : store.read(work)),
  }
  await post(await startServer(t, { store }), envelope(records))
  const server = await startServer(t, { store: dying })
  await t.rejects(get(server, '/api/group/query_measurement.tpch.clustered.10.nvme'))
  await waitUntil(() => server.entries.length > 0)
  t.match(server.entries, [{ route: '/api/group/:slug', status: null, reason: 'lost on the way' }])
  await emptyTables(store)
})

t.test('a slug identifies one group, whatever characters its names contain', async t => {
  const kind = CONTRACT.kinds[0]!
  const odd = ['', '~', '.', '..', 'a.b', 'größe', '~41', 'A', '/', '%2F', ' ', '🙂', 'null', null]
  const slugs = new Set<string>()
  for (const value of odd) {
    const group = { kind, values: [value, null, '', 's3'] }
    const slug = groupSlug(group)
    t.match(slug, /^[A-Za-z0-9_.~-]+$/, String(value))
    t.strictSame(parseGroupSlug(slug), group, String(value))
    slugs.add(slug)
  }
  t.equal(slugs.size, odd.length)
  for (const slug of [
    '',
    'nope',
    'query_measurement',
    'query_measurement.a',
    'compression_size.~41.~',
    'compression_size.~FF.~',
    'compression_size.a~.~',
  ])
    t.equal(parseGroupSlug(slug), undefined, slug)
})

t.test('bad parameters answer 400 and unknown things 404', async t => {
  const server = await startServer(t, { store })
  const cases: readonly (readonly [string, number, string])[] = [
    ['/api/measurements', 400, 'bad_request'],
    ['/api/measurements?commit=a&commit=b', 400, 'bad_request'],
    ['/api/measurements?commit=a&kind=nope', 400, 'bad_request'],
    ['/api/measurements?commit=a&after=x', 400, 'bad_request'],
    ['/api/measurements?commit=a&after=9223372036854775808', 400, 'bad_request'],
    ['/api/measurements?commit=a&limit=1.5', 400, 'bad_request'],
    ['/api/group/compression_size.a.~?n=ten', 400, 'bad_request'],
    ['/api/group/compression_size.a.~?n=', 400, 'bad_request'],
    ['/api/group/compression_size.a.~?n=1&n=2', 400, 'bad_request'],
    ['/api/group/nope', 404, 'not_found'],
    ['/api/commits/nope', 404, 'not_found'],
    ['/api/commits/%zz', 400, 'bad_request'],
    ['/nope', 404, 'not_found'],
    ['/api/ingest/', 404, 'not_found'],
  ]
  for (const [path, status, error] of cases) {
    const answer = await get(server, path)
    t.equal(answer.status, status, path)
    t.equal(answer.body['error'], error, path)
  }
})

t.test('a wrong method answers with the allowed methods', async t => {
  const server = await startServer(t, { store })
  for (const [method, path, allow] of [
    ['GET', '/api/ingest', 'POST'],
    ['PUT', '/api/ingest', 'POST'],
    ['GET', '/api/revalidate', 'POST'],
    ['POST', '/health', 'GET, HEAD'],
    ['DELETE', '/api/commits/x', 'GET, HEAD'],
  ] as const) {
    const response = await fetch(server.url + path, { method })
    t.strictSame([response.status, response.headers.get('allow')], [405, allow], `${method} ${path}`)
    t.strictSame(await response.json(), { error: 'method_not_allowed' })
  }
  const head = await fetch(`${server.url}/health`, { method: 'HEAD' })
  t.strictSame([head.status, await head.text()], [200, ''])
})

t.test('revalidation needs its own token, and fails closed without one', async t => {
  const ask = async (server: Running, authorization?: string): Promise<unknown> => {
    const headers = authorization === undefined ? {} : { authorization }
    const response = await fetch(`${server.url}/api/revalidate`, { method: 'POST', headers })
    return [response.status, await response.json()]
  }
  const server = await startServer(t, { store })
  t.strictSame(await ask(server), [401, { error: 'unauthorized' }])
  t.strictSame(await ask(server, 'Bearer nope'), [401, { error: 'unauthorized' }])
  t.strictSame(await ask(server, `Bearer ${REVALIDATE_TOKEN}`), [200, { revalidated: true }])
  const closed = await startServer(t, { store, revalidateToken: undefined })
  t.strictSame(await ask(closed, `Bearer ${REVALIDATE_TOKEN}`), [503, { error: 'not_configured' }])
  t.strictSame(await ask(closed, 'Bearer '), [503, { error: 'not_configured' }])
})

t.test('health reports that the store cannot be reached, without details', async t => {
  const failing = { ...store, read: () => Promise.reject(new Error('down: password=hush-4711')) }
  const server = await startServer(t, { store: failing })
  const { status, text, body } = await get(server, '/health')
  t.equal(status, 503)
  t.match(body, {
    status: 'unavailable',
    schema_version: SCHEMA_VERSION,
    store: { kind: 'embedded', reachable: false },
  })
  t.notMatch(text, /down|hush/)
  t.match(server.entries, [{ status: 503, reason: 'down: password=***' }])
})
