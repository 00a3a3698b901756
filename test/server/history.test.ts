/** Tests the history that the page reads from stored records. */

import t from 'tap'
import { gunzipSync } from 'node:zlib'
import { line, sizeLine } from '../fixtures/records.js'
import { takesGzip } from '../../src/server/read/history.js'
import type { HistoryAnswer } from '../../src/server/read/answers.js'
import { commit, envelope } from './fixtures/envelopes.js'
import { get, post, startServer, type Running } from './fixtures/server.js'
import { emptyTables, startStore } from './fixtures/store.js'

const store = await startStore(t)
const SLUG = 'query_measurement.tpch.clustered.10.nvme'

function query(sha: string, changes: Readonly<Record<string, string>>): string {
  return line('query_measurement', { commit_sha: `"${sha}"`, ...changes })
}

async function push(server: Running, sha: string, day: number, records: readonly string[]): Promise<void> {
  const of = { timestamp: `2026-01-0${day}T00:00:00Z`, message: `Day ${day}\n\nAnd why.` }
  t.equal((await post(server, envelope(records, { commit: commit(sha, of) }))).status, 200)
}

async function history(server: Running, slug: string, n?: number): Promise<HistoryAnswer> {
  const { status, body } = await get(server, `/api/history/${slug}${n === undefined ? '' : `?n=${n}`}`)
  t.equal(status, 200)
  return body as unknown as HistoryAnswer
}

t.test('a history has a value for each series and commit, oldest first, null where there is none', async t => {
  const server = await startServer(t, { store })
  await push(server, 'second', 2, [query('second', { query_idx: '1', value_ns: '20' })])
  const both = [query('first', { query_idx: '10', value_ns: '7' }), query('first', { query_idx: '1', value_ns: '10' })]
  await push(server, 'first', 1, [...both, query('first', { storage: '"s3"' })])
  await push(server, 'third', 3, [query('third', { query_idx: '10', value_ns: '9' })])
  const found = await history(server, SLUG)
  t.match(found, {
    slug: SLUG,
    kind: 'query_measurement',
    unit: 'ns',
    dataset: 'tpch',
    scale_factor: '10',
    more: false,
  })
  t.strictSame(found.dimensions, ['query_idx', 'engine', 'format'])
  t.strictSame(
    found.commits.map(({ sha, message }) => [sha, message]),
    [
      ['first', 'Day 1'],
      ['second', 'Day 2'],
      ['third', 'Day 3'],
    ],
  )
  t.strictSame(found.series, [
    { key: ['1', 'datafusion', 'parquet'], values: [10, 20, null] },
    { key: ['10', 'datafusion', 'parquet'], values: [7, null, 9] },
  ])
  t.strictSame((await history(server, SLUG, 1)).series, [{ key: ['10', 'datafusion', 'parquet'], values: [9] }])
  t.strictSame((await history(server, 'query_measurement.none.~.~.nvme')).series, [])
  await emptyTables(store)
})

t.test('values come digit for digit, and those that are replaced are seen at once', async t => {
  const server = await startServer(t, { store })
  await push(server, 'one', 1, [sizeLine('taxi', { commit_sha: '"one"', value_bytes: '9223372036854775807' })])
  const { body } = await get(server, '/api/groups')
  const { slug } = (body as { groups: { slug: string }[] }).groups[0]!
  t.match((await get(server, `/api/history/${slug}`)).text, '"values":[9223372036854775807]')
  await push(server, 'one', 1, [sizeLine('taxi', { commit_sha: '"one"', value_bytes: '5' })])
  const found = await history(server, slug)
  t.strictSame(found.series[0]?.values, [5])
  t.equal(found.unit, 'bytes')
  await emptyTables(store)
})

t.test('a history has the quartiles of the runs when they are asked for, and only for kinds with runs', async t => {
  const server = await startServer(t, { store })
  const runs = { value_ns: '30', all_runtimes_ns: '[50,10,40,20,30]' }
  await push(server, 'one', 1, [query('one', runs), query('one', { query_idx: '99', all_runtimes_ns: '[]' })])
  t.notOk('low' in (await history(server, SLUG)).series[0]!)
  const { body } = await get(server, `/api/history/${SLUG}?runs=quartiles`)
  t.match((body as unknown as HistoryAnswer).series, [
    { values: [30], low: [20], high: [40] },
    { key: ['99', 'datafusion', 'parquet'], low: [null], high: [null] },
  ])
  t.equal((await get(server, `/api/history/${SLUG}?runs=all`)).status, 400)
  await emptyTables(store)
})

t.test('a group with too many series is truncated, and the answer says so', async t => {
  const server = await startServer(t, { store })
  const records = Array.from({ length: 1_001 }, (_, index) => query('one', { query_idx: String(index) }))
  await push(server, 'one', 1, records)
  const found = await history(server, SLUG)
  t.equal(found.series.length, 1_000)
  t.equal(found.more, true)
  await emptyTables(store)
})

t.test('an invalid request for a history is refused', async t => {
  const server = await startServer(t, { store })
  t.equal((await get(server, '/api/history/nonsense')).status, 404)
  t.equal((await get(server, `/api/history/${SLUG}?n=many`)).status, 400)
  t.equal((await get(server, '/api/commits?n=1.5')).status, 400)
  const { status, headers } = await fetch(`${server.url}/api/history/${SLUG}`, { method: 'DELETE' })
  t.strictSame([status, headers.get('allow')], [405, 'GET, HEAD'])
})

t.test('a history is compressed for clients that accept it', async t => {
  const server = await startServer(t, { store })
  const ask = (encoding: string): Promise<Response> =>
    fetch(`${server.url}/api/history/${SLUG}`, { headers: { 'accept-encoding': encoding } })
  const [packed, plain] = [await ask('gzip'), await ask('identity')]
  t.equal(packed.headers.get('content-encoding'), 'gzip')
  t.equal(plain.headers.get('content-encoding'), null)
  // fetch has already decompressed the body.
  t.equal(await packed.text(), await plain.text())
  const { rawPayload } = await server.app.inject({
    url: `/api/history/${SLUG}`,
    headers: { 'accept-encoding': 'gzip' },
  })
  t.match(JSON.parse(gunzipSync(rawPayload).toString()), { slug: SLUG })
})

t.test('a client accepts gzip when it names gzip without q=0', async t => {
  for (const header of ['gzip', 'br, gzip', 'gzip;q=0.5, br', 'gzip; q=1']) t.ok(takesGzip(header), header)
  for (const header of [undefined, '', 'br', 'gzip;q=0', 'gzip; q=0.0, br', 'xgzip'])
    t.notOk(takesGzip(header), String(header))
})

t.test('the last commits are listed, the newest first', async t => {
  const server = await startServer(t, { store })
  for (const day of [2, 1, 3]) await push(server, `day-${day}`, day, [])
  const { body } = await get(server, '/api/commits?n=2')
  const { commits } = body as { commits: { commit_sha: string }[] }
  t.strictSame(
    commits.map(({ commit_sha }) => commit_sha),
    ['day-3', 'day-2'],
  )
  await emptyTables(store)
})

t.test('the last pushes are remembered with how they ended, but not those without a token', async t => {
  const server = await startServer(t, { store })
  await push(server, 'one', 1, [query('one', {})])
  await post(server, '{}')
  await post(server, envelope([]), { authorization: 'Bearer wrong' })
  await get(server, '/api/groups')
  const { body } = await get(server, '/api/pushes')
  const { pushes, since } = body as { pushes: Record<string, unknown>[]; since: string }
  t.equal(pushes.length, 2)
  t.match(pushes[0], { status: 400, error: 'malformed' })
  t.match(pushes[1], { status: 200, commit: 'one', records: 1, inserted: 1, updated: 0 })
  t.ok(Date.parse(since) <= Date.parse(String(pushes[1]?.['time'])))
  for (const push of pushes) t.notOk('reason' in push || 'route' in push)
  await emptyTables(store)
})

t.test('no more than a hundred pushes are remembered', async t => {
  const server = await startServer(t, { store })
  for (let count = 0; count < 105; count++) await post(server, '{}')
  const { body } = await get(server, '/api/pushes')
  t.equal((body as { pushes: unknown[] }).pushes.length, 100)
})
