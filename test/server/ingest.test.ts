/** Tests the answers of POST /api/ingest that do not depend on records, and their order of precedence. */

import { gzipSync } from 'node:zlib'
import t from 'tap'
import { SCHEMA_VERSION } from '../../src/contract/kinds.js'
import { KIND_NAMES, SHA, line, sizeLine } from '../fixtures/records.js'
import { commit, envelope, metaOf } from './fixtures/envelopes.js'
import { get, HEADERS, post, startServer, TOKEN } from './fixtures/server.js'
import { emptyTables, startStore, storedIds } from './fixtures/store.js'

const store = await startStore(t)
const one = envelope([sizeLine('taxi')])
const MAX = 100_000

t.test('an envelope is applied once, and counts what it met', async t => {
  const server = await startServer(t, { store })
  const records = KIND_NAMES.map(kind => line(kind))
  t.match(await post(server, envelope([...records, records[0]!])), { status: 200, body: { inserted: 5, updated: 1 } })
  t.match(await post(server, envelope(records)), { status: 200, body: { inserted: 0, updated: 5 } })
  t.match(await post(server, envelope([], { commit: commit('another') })), { status: 200, body: { inserted: 0 } })
  const { body } = await get(server, '/health')
  t.match(body, { rows: { commits: 2, query_measurements: 1, vector_search_runs: 1 } })
  await emptyTables(store)
})

t.test('the commit row is overwritten by the last envelope', async t => {
  const server = await startServer(t, { store })
  await post(server, envelope([], { commit: commit(SHA, { message: 'before' }) }))
  await post(server, envelope([], { commit: commit(SHA, { message: 'after\nit' }) }))
  t.match((await get(server, `/api/commits/${SHA}`)).body, {
    ...{ commit_sha: SHA, message: 'after\nit', author_name: 'Zoë Żółć', timestamp: '2026-02-04T04:30:00.000000Z' },
  })
  await emptyTables(store)
})

t.test('a request without the token is refused, even when other parts of it are wrong too', async t => {
  const server = await startServer(t, { store })
  const wrong: Readonly<Record<string, string>>[] = [
    { authorization: '' },
    { authorization: 'Bearer' },
    { authorization: `bearer ${TOKEN}` },
    { authorization: `Basic ${TOKEN}` },
    { authorization: `Bearer  ${TOKEN}` },
    { authorization: `Bearer ${TOKEN}x` },
    { authorization: `Bearer ${TOKEN.slice(0, -1)}` },
    { authorization: TOKEN },
    { authorization: 'Bearer nope', 'content-type': 'text/plain' },
    { authorization: 'Bearer nope', 'content-encoding': 'br' },
  ]
  for (const headers of wrong) {
    const answer = await post(server, 'no JSON', headers)
    t.strictSame([answer.status, answer.body], [401, { error: 'unauthorized' }], JSON.stringify(headers))
    t.equal(answer.headers.get('connection'), 'close')
  }
  const none = await fetch(`${server.url}/api/ingest`, { method: 'POST' })
  t.equal(none.status, 401)
  t.strictSame(await storedIds(store), [])
})

t.test('without a token on the server everybody writes', async t => {
  const server = await startServer(t, { store, token: undefined })
  t.equal((await post(server, envelope([]), { authorization: '' })).status, 200)
  await emptyTables(store)
})

t.test('the body must be called JSON, plain or gzip', async t => {
  const server = await startServer(t, { store })
  const types: readonly (readonly [string, number])[] = [
    ['application/json', 200],
    ['Application/JSON', 200],
    ['application/json; charset=utf-8', 200],
    ['application/json;charset="UTF-8"', 200],
    ['application/json; charset=latin1', 415],
    ['application/json; version=1', 415],
    ['application/jsonl', 415],
    ['application/x-ndjson', 415],
    ['text/plain', 415],
    ['text/json', 415],
    ['json', 415],
    ['application/json, text/plain', 415],
  ]
  for (const [type, status] of types) {
    const answer = await post(server, envelope([]), { 'content-type': type })
    t.equal(answer.status, status, type)
    if (status === 415) t.strictSame(answer.body, { error: 'unsupported_media_type' })
  }
  for (const encoding of ['br', 'deflate', 'gzip, gzip', 'zstd', 'x'])
    t.equal((await post(server, envelope([]), { 'content-encoding': encoding })).status, 415, encoding)
  const untyped = await fetch(`${server.url}/api/ingest`, {
    ...{ method: 'POST', headers: { authorization: HEADERS.authorization }, body: Buffer.from(one) },
  })
  t.equal(untyped.status, 415)
  await emptyTables(store)
})

t.test('gzip is unpacked within the bound of a body', async t => {
  const server = await startServer(t, { store, limits: { maxBodyBytes: MAX } })
  const gzip = { 'content-encoding': 'gzip' }
  t.match(await post(server, gzipSync(one), gzip), { status: 200, body: { inserted: 1 } })
  const twoMembers = Buffer.concat([gzipSync(one.slice(0, 50)), gzipSync(one.slice(50))])
  t.match(await post(server, twoMembers, { 'content-encoding': 'GZIP' }), { status: 200, body: { updated: 1 } })
  const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, ' '))
  t.ok(bomb.length < MAX)
  t.match(await post(server, bomb, gzip), { status: 413, body: { error: 'body_too_large' } })
  const broken: readonly (readonly [string, Buffer])[] = [
    ['no gzip', Buffer.from(one)],
    ['cut short', gzipSync(one).subarray(0, -5)],
    ['with more behind it', Buffer.concat([gzipSync(one), Buffer.from('\0and more')])],
    ['nothing', Buffer.alloc(0)],
  ]
  for (const [name, body] of broken)
    t.match(await post(server, body, gzip), { status: 400, body: { error: 'malformed' } }, name)
  await emptyTables(store)
})

t.test('a body is bounded to the byte, announced or not', async t => {
  const fits = envelope([sizeLine('x'.repeat(500))])
  const server = await startServer(t, { store, limits: { maxBodyBytes: Buffer.byteLength(fits) } })
  t.equal((await post(server, fits)).status, 200)
  const announced = await post(server, `${fits} `)
  t.strictSame([announced.status, announced.body], [413, { error: 'body_too_large' }])
  for (const [text, status] of [
    [fits, 200],
    [`${fits} `, 413],
  ] as const) {
    const body = new Blob([text]).stream()
    const response = await fetch(`${server.url}/api/ingest`, {
      method: 'POST',
      headers: HEADERS,
      body,
      duplex: 'half',
    })
    t.equal(response.status, status)
    await response.arrayBuffer()
  }
  await emptyTables(store)
})

t.test('a body larger than memory should hold waits on disk and is applied all the same', async t => {
  const server = await startServer(t, { store })
  const records = Array.from({ length: 12_000 }, (_, index) => sizeLine(`dataset-${index}`))
  const body = envelope(records)
  t.ok(body.length > 1024 * 1024)
  t.match(await post(server, body), { status: 200, body: { inserted: 12_000, updated: 0 } })
  t.match(await post(server, envelope([...records, '{"kind":1}'])), { status: 400, body: { error: 'malformed' } })
  t.equal((await storedIds(store)).length, 12_000)
  await emptyTables(store)
})

t.test('malformed comes before the version, the version before records, and they are named', async t => {
  const server = await startServer(t, { store })
  const newer = metaOf(SCHEMA_VERSION + 1)
  const gcs = line('query_measurement', { storage: '"gcs"' })
  t.match(await post(server, envelope([gcs, '{}'], { meta: newer })), { status: 400, body: { error: 'malformed' } })
  const { status, body } = await post(server, envelope([gcs], { meta: newer }))
  t.strictSame(
    [status, body],
    [409, { error: 'schema_version_too_new', expected: SCHEMA_VERSION, got: SCHEMA_VERSION + 1 }],
  )
  t.match(await post(server, envelope([sizeLine('a'), gcs])), {
    ...{ status: 400, body: { error: 'record', record_index: 1, message: /^\/storage must be one of nvme, s3/ } },
  })
  t.match(await post(server, envelope([sizeLine('a', { commit_sha: '"x"' })])), {
    ...{ status: 400, body: { error: 'record', record_index: 0, message: /^\/commit_sha must be / } },
  })
  const malformed = await post(server, '{"run_meta":')
  t.strictSame(Object.keys(malformed.body), ['error', 'message'])
  t.strictSame(await storedIds(store), [])
})

/** Texts that are not valid timestamps. Postgres accepts the first four, and so did earlier versions of this program. */
const NO_TIMES = [
  ...['now', 'today', 'Apr 25 2026', 'infinity', '2026-04-25 00:00:00+00', '2026-04-25T00:00:00', '2026-04-25'],
  ...['yesterdayish', '', '2026-13-01T00:00:00Z', '2026-02-29T00:00:00Z', '2026-04-25T24:00:00Z'],
  ...['1969-12-31T23:59:59Z', '2100-01-01T00:00:00Z', '999999-01-01T00:00:00Z', '2026-04-25T00:00:00+24:00'],
]

t.test('a commit time that is not RFC 3339, or out of range, is malformed, and nothing is stored', async t => {
  const server = await startServer(t, { store })
  for (const timestamp of NO_TIMES)
    t.match(
      await post(server, envelope([sizeLine('a')], { commit: commit(SHA, { timestamp }) })),
      {
        status: 400,
        body: { error: 'malformed', message: /^\/commit\/timestamp must be an RFC 3339 time from 1970 / },
      },
      timestamp,
    )
  t.strictSame(await storedIds(store), [])
  t.equal((await post(server, one)).status, 200, 'the session goes on')
  await emptyTables(store)
})

t.test('a bad commit time is found after a bad record and a newer version', async t => {
  const server = await startServer(t, { store })
  const wrong = commit(SHA, { timestamp: 'now' })
  const gcs = line('query_measurement', { storage: '"gcs"' })
  t.match(await post(server, envelope([gcs], { commit: wrong })), { status: 400, body: { error: 'record' } })
  const newer = metaOf(SCHEMA_VERSION + 1)
  t.match(await post(server, envelope([sizeLine('a')], { commit: wrong, meta: newer })), { status: 409 })
})

t.test('every offset of RFC 3339 is taken, and more than six decimals are rounded', async t => {
  const server = await startServer(t, { store })
  for (const [timestamp, stored] of [
    ['2026-04-25T00:00:00+16:00', '2026-04-24 08:00:00+00'],
    ['2026-04-25T00:00:00-23:59', '2026-04-25 23:59:00+00'],
    ['2026-04-25t00:00:00.12345649z', '2026-04-25 00:00:00.123456+00'],
    ['2026-04-25T00:00:00.1234566000000000000000000000000000000000001Z', '2026-04-25 00:00:00.123457+00'],
    ['2026-04-25T23:59:59.9999995Z', '2026-04-26 00:00:00+00'],
  ] as const) {
    const answer = await post(server, envelope([sizeLine('a')], { commit: commit(SHA, { timestamp }) }))
    t.equal(answer.status, 200, timestamp)
    const rows = await store.read(session =>
      session.query(`SELECT (timestamp AT TIME ZONE 'UTC')::text || '+00' AS at FROM commits`),
    )
    t.strictSame(rows, [{ at: stored }], timestamp)
    await emptyTables(store)
  }
})

t.test('a store that fails is an internal error that says nothing, and the log says why', async t => {
  const secret = 'postgres://u:hush-4711@db/d'
  const failing = { ...store, write: () => Promise.reject(new Error(`lost ${secret}`)) }
  const server = await startServer(t, { store: failing })
  const { status, body } = await post(server, one)
  t.strictSame([status, body], [500, { error: 'internal' }])
  t.match(server.entries.at(-1), { status: 500, error: 'internal', reason: 'lost postgres://u:***@db/d' })
})

t.test('a path that cannot be decoded is refused like any other, and logged', async t => {
  const server = await startServer(t, { store })
  for (const path of ['/api/group/%', '/%ff', '/api/commits/%e2%82']) {
    const response = await fetch(`${server.url}${path}`)
    t.equal(response.status, 400, path)
    t.strictSame(await response.json(), { error: 'bad_request' }, path)
    t.match(Object.fromEntries(response.headers), { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  }
  const line = { method: 'GET', route: null, status: 400, error: 'bad_request' }
  t.match(server.entries, [line, line, line])
  t.equal(server.entries.length, 3)
})

t.test('every request is one log line with its effect and without its content', async t => {
  const server = await startServer(t, { store })
  await post(server, one)
  await post(server, one, { authorization: 'Bearer hush-4711' })
  await get(server, '/api/measurements?commit=hush-4711')
  await get(server, '/hush-4711')
  const length = Buffer.byteLength(one)
  t.match(server.entries, [
    { method: 'POST', route: '/api/ingest', status: 200, bytes: length, records: 1, inserted: 1, updated: 0 },
    { method: 'POST', route: '/api/ingest', status: 401, error: 'unauthorized' },
    { method: 'GET', route: '/api/measurements', status: 200 },
    { method: 'GET', route: null, status: 404, error: 'not_found' },
  ])
  t.notMatch(JSON.stringify(server.entries), /hush-4711|token-of-the-tests/)
  for (const entry of server.entries) t.match(entry, { time: /^\d{4}-.*Z$/, ms: Number })
  await emptyTables(store)
})
