/** Tests servers of each contract version on one store: their answers, what they store, and the version they state. */

import t from 'tap'
import { checkEnvelope, type EnvelopeCheck } from '../../src/contract/envelope.js'
import { CONTRACTS } from '../../src/contract/kinds.js'
import { checkBody } from '../../src/server/envelope/check-body.js'
import { readBody } from '../../src/source/exact-json.js'
import { line } from '../fixtures/records.js'
import { walkable } from './fixtures/bodies.js'
import { envelope, metaOf } from './fixtures/envelopes.js'
import { get, post, startServer, type Running } from './fixtures/server.js'
import { emptyTables, startStore, storedIds } from './fixtures/store.js'
import { VERSION_CASES, type Answer } from './fixtures/version-cases.js'

const store = await startStore(t)
const servers = new Map<number, Running>()
for (const version of CONTRACTS.keys()) servers.set(version, await startServer(t, { store, version }))

type Check = Pick<typeof t, 'match' | 'equal'>

t.test('the tree check and the byte check answer every case as the contract demands', async t => {
  for (const { why, server, body, answer } of VERSION_CASES) {
    const read = readBody(Buffer.from(body))
    matches(t, read.ok ? checkEnvelope(read.value, server) : { error: 'malformed' }, answer, `${why}, the tree`)
    matches(t, await checkBody(walkable(Buffer.from(body)), server), answer, `${why}, the bytes`)
  }
})

type Found = Awaited<ReturnType<typeof checkBody>> | EnvelopeCheck | { readonly error: 'malformed' }

function matches(t: Check, found: Found, answer: Answer, why: string): void {
  if (answer.error === null) return void t.match(found, { ok: true }, why)
  const { error } = answer
  if (error === 'record') t.match(found, { error, recordIndex: answer.index, message: answer.message }, why)
  else t.match(found, answer, why)
}

t.test('a server answers every case over HTTP and stores what it accepts', async t => {
  for (const { why, server, body, answer } of VERSION_CASES) {
    const { status, body: said } = await post(servers.get(server)!, body)
    if (answer.error === null) {
      t.match([status, said], [200, { inserted: Number, updated: 0 }], why)
      t.equal((await storedIds(store)).length, said['inserted'], why)
      await emptyTables(store)
      continue
    }
    t.equal(status, answer.error === 'schema_version_too_new' ? 409 : 400, why)
    if (answer.error === 'schema_version_too_new') t.strictSame(said, answer, why)
    else if (answer.error === 'record')
      t.match(said, { error: 'record', record_index: answer.index, message: answer.message }, why)
    else t.strictSame([Object.keys(said), said['error']], [['error', 'message'], 'malformed'], why)
  }
  t.strictSame(await storedIds(store), [])
})

const SIZES = `SELECT value_bytes::int AS value, uncompressed_bytes::int AS uncompressed FROM compression_sizes`
const ACCESSES = `SELECT measurement_id::text AS id, open_mode FROM random_access_times ORDER BY open_mode`

async function rowsOf(sql: string): Promise<readonly unknown[]> {
  return store.read(session => session.query(sql))
}

async function send(version: number, ...records: readonly string[]): Promise<unknown> {
  return (await post(servers.get(version)!, envelope(records, { meta: metaOf(version) }))).body
}

t.test('an older server leaves uncompressed_bytes null or as it was, a newer one overwrites it', async t => {
  const old = (value: number): string =>
    line('compression_size', { value_bytes: String(value), uncompressed_bytes: undefined })
  t.strictSame(await send(1, old(1)), { inserted: 1, updated: 0 })
  t.strictSame(await rowsOf(SIZES), [{ value: 1, uncompressed: null }])
  t.strictSame(await send(2, line('compression_size', { value_bytes: '2' })), { inserted: 0, updated: 1 })
  t.strictSame(await rowsOf(SIZES), [{ value: 2, uncompressed: 16384 }])
  t.strictSame(await send(1, old(3)), { inserted: 0, updated: 1 })
  t.strictSame(await rowsOf(SIZES), [{ value: 3, uncompressed: 16384 }])
  t.strictSame(await send(3, line('compression_size', { uncompressed_bytes: '0' })), { inserted: 0, updated: 1 })
  t.strictSame(await rowsOf(SIZES), [{ value: 4096, uncompressed: 0 }])
  await emptyTables(store)
})

t.test('an access of an older version is the cached one, and reopen is a row of its own', async t => {
  const access = (mode?: string): string => line('random_access_time', { format: '"parquet"', open_mode: mode })
  const cached = { id: '164255076009922704', open_mode: 'cached' }
  t.strictSame(await send(1, access()), { inserted: 1, updated: 0 })
  t.strictSame(await rowsOf(ACCESSES), [cached])
  t.strictSame(await send(3, access('"cached"'), access('"reopen"')), { inserted: 1, updated: 1 })
  t.strictSame(await rowsOf(ACCESSES), [cached, { id: '-4421471856282394060', open_mode: 'reopen' }])
  t.strictSame(await send(2, access()), { inserted: 0, updated: 1 })
  await emptyTables(store)
})

t.test('a server states its version at /, /health and in its OpenAPI document', async t => {
  for (const [version, server] of servers) {
    t.strictSame((await get(server, '/')).body, { service: 'vortex-ingest', schema_version: version })
    t.match((await get(server, '/health')).body, { status: 'ok', schema_version: version, rows: { commits: 0 } })
    const { body } = await get(server, '/openapi.json')
    t.match(body, { info: { version: String(version) } })
    const { schemas } = body['components'] as { schemas: Record<string, { properties: Record<string, unknown> }> }
    t.equal('uncompressed_bytes' in schemas['compression_size']!.properties, version >= 2)
    t.equal('open_mode' in schemas['random_access_time']!.properties, version >= 3)
    t.match(schemas['envelope'], { properties: { run_meta: { properties: { schema_version: { const: version } } } } })
  }
})

t.test('GET /health?version answers without asking the store', async t => {
  const away = { ...store, read: () => Promise.reject(new Error('the store was asked')) }
  const server = await startServer(t, { store: away, version: 2 })
  for (const path of ['/health?version', '/health?version=', '/health?version=1&x=y']) {
    const { status, body } = await get(server, path)
    t.strictSame([status, body], [200, { schema_version: 2, store: { kind: 'embedded' } }], path)
  }
  for (const path of ['/health', '/health?versions', '/health?x=version']) {
    const { status, body } = await get(server, path)
    t.match([status, body], [503, { error: 'store_unreachable', schema_version: 2 }], path)
  }
  t.equal((await fetch(`${server.url}/health?version`, { method: 'HEAD' })).status, 200)
})
