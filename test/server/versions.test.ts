/** Tests servers of each contract version on one store: their answers, what they store, and the version they state. */

import t from 'tap'
import { checkEnvelope, type EnvelopeCheck } from '../../src/contract/envelope.js'
import { CONTRACTS } from '../../src/contract/kinds.js'
import { checkBody } from '../../src/server/envelope/check-body.js'
import { readBody } from '../../src/source/exact-json.js'
import { line, SHA, type KindName, type Tokens } from '../fixtures/records.js'
import { walkable, envelope, metaOf } from './fixtures/envelopes.js'
import { get, post, startServer, type Running } from './fixtures/server.js'
import { emptyTables, startStore, storedIds } from './fixtures/store.js'

const OK: Answer = { error: null }

const MALFORMED: Answer = { error: 'malformed' }

const malformed = (message: RegExp): Answer => ({ error: 'malformed', message })

const tooNew = (expected: number, got: number): Answer => ({ error: 'schema_version_too_new', expected, got })

const badRecord = (index: number, message: RegExp): Answer => ({ error: 'record', index, message })

const UNCHANGED: readonly KindName[] = ['query_measurement', 'compression_time', 'vector_search_run']

const unchanged = UNCHANGED.map(kind => line(kind))

const gcs = line('query_measurement', { storage: '"gcs"' })

const withOpenMode = (token: string, changes: Tokens = {}): string =>
  line('random_access_time', { open_mode: token, ...changes })

const MODE = /^\/open_mode must be one of cached, reopen/

const NO_INTEGERS = [
  'null',
  '"1"',
  '1.0',
  '1e3',
  '-0',
  '01',
  '9223372036854775808',
  '-9223372036854775809',
  'true',
  '[1]',
  '{}',
]

const INTEGERS = ['0', '1', '-1', '9223372036854775807', '-9223372036854775808', '123456789012345678']

const OTHER_TYPES = ['null', '1', 'true', '["cached"]', '{}']

const MODES = ['"cached"', '"reopen"', '"\\u0063ached"', '"reop\\u0065n"']

const OTHER_MODES = ['""', '"mmap"', '"Cached"', '"cached "', '"cached\\u0000"', '"reopened"', '"nvme"']

const VERSION_CASES: readonly VersionCase[] = [1, 2, 3].flatMap(server =>
  rowsFor(server).map(([why, body, answer]) => ({ why: `version ${server}: ${why}`, server, body, answer })),
)

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
    t.strictSame([status, body], [200, { schema_version: 2, store: { kind: 'embedded', ordered: true } }], path)
  }
  for (const path of ['/health', '/health?versions', '/health?x=version']) {
    const { status, body } = await get(server, path)
    t.match([status, body], [503, { error: 'store_unreachable', schema_version: 2 }], path)
  }
  t.equal((await fetch(`${server.url}/health?version`, { method: 'HEAD' })).status, 200)
})

type VersionCase = {
  readonly why: string
  /** The contract version of the server. */
  readonly server: number
  readonly body: string
  readonly answer: Answer
}

type Answer =
  | { readonly error: null }
  | { readonly error: 'malformed'; readonly message?: RegExp }
  | { readonly error: 'schema_version_too_new'; readonly expected: number; readonly got: number }
  | { readonly error: 'record'; readonly index: number; readonly message: RegExp }

/** A size in the shape of a version; `token` replaces its uncompressed_bytes. */
function size(version: number, token = '16384'): string {
  return line('compression_size', { uncompressed_bytes: version < 2 ? undefined : token })
}

/** A random access time in the shape of a version; `token` replaces its open_mode. */
function access(version: number, token = '"cached"'): string {
  return line('random_access_time', { open_mode: version < 3 ? undefined : token })
}

type Row = readonly [why: string, body: string, answer: Answer]

/** Bodies, written for the version of the server, that have the same result on every server. */
function common(server: number): readonly Row[] {
  const own = metaOf(server)
  const all = [...unchanged, size(server), access(server)]
  const newer = [1, 2, 3, 4, 5, 2147483647].filter(version => version > server)
  const older = [-1, 0, 1, 2].filter(version => version < server)
  const others = [1, 2, 3].filter(version => version !== server)
  const sameSize = (version: number): boolean => size(version) === size(server)
  const sameAccess = (version: number): boolean => access(version) === access(server)
  return [
    ['a record of each kind', envelope(all, { meta: own }), OK],
    ['no records', envelope([], { meta: own }), OK],
    ...newer.flatMap((got): readonly Row[] => [
      [`version ${got}`, envelope(all, { meta: metaOf(got) }), tooNew(server, got)],
      [`version ${got} without records`, envelope([], { meta: metaOf(got) }), tooNew(server, got)],
      [`version ${got}, a broken rule`, envelope([gcs], { meta: metaOf(got) }), tooNew(server, got)],
      [`version ${got}, another commit`, envelope([size(server).replace(SHA, 'x')], { meta: metaOf(got) }), tooNew(server, got)], // prettier-ignore
      [`version ${got}, an unknown kind`, envelope(['{"kind":"x"}'], { meta: metaOf(got) }), MALFORMED],
    ]),
    ...older.flatMap((got): readonly Row[] => [
      [`version ${got}`, envelope(all, { meta: metaOf(got) }), malformed(/^\/run_meta\/schema_version must be /)],
      [`version ${got} without records`, envelope([], { meta: metaOf(got) }), MALFORMED],
      [`version ${got}, a broken rule`, envelope([gcs], { meta: metaOf(got) }), MALFORMED],
    ]),
    ...others.flatMap((other): readonly Row[] => [
      [`a size of version ${other}`, envelope([size(other)], { meta: own }), sameSize(other) ? OK : malformed(/^\/records\/0: "?\/uncompressed_bytes\b/)], // prettier-ignore
      [`a random access of version ${other}`, envelope([access(other)], { meta: own }), sameAccess(other) ? OK : malformed(/^\/records\/0: "?\/open_mode\b/)], // prettier-ignore
      // The shape of the records is checked before the version of the envelope.
      [`all of version ${other}`, envelope([...unchanged, size(other), access(other)], { meta: metaOf(other) }), MALFORMED], // prettier-ignore
      [`a broken rule, then one of version ${other}`, envelope([gcs, ...unchanged, size(other), access(other)], { meta: own }), MALFORMED], // prettier-ignore
    ]),
    ['the added fields in other kinds', envelope([line('compression_time', { uncompressed_bytes: '1' })], { meta: own }), MALFORMED], // prettier-ignore
    ['open_mode in a query', envelope([line('query_measurement', { open_mode: '"cached"' })], { meta: own }), MALFORMED], // prettier-ignore
    ['open_mode in a size', envelope([line('compression_size', { open_mode: '"cached"' })], { meta: own }), MALFORMED], // prettier-ignore
    ['an exact record', envelope([size(server).replace('"taxi"', '"t\\u0061xi"')], { meta: own }), OK],
    ['an exact random access', envelope([access(server).replace('"taxi"', '"t\\u0061xi"')], { meta: own }), OK],
    [
      'a broken rule',
      envelope([size(server), access(server), gcs], { meta: own }),
      badRecord(2, /^\/storage must be /),
    ],
    ['schema_version 1.0', envelope([], { meta: own.replace(`:${server},`, `:${server}.0,`) }), MALFORMED],
    ['schema_version as a string', envelope([], { meta: own.replace(`:${server},`, `:"${server}",`) }), MALFORMED],
    ['schema_version beyond 32 bits', envelope([], { meta: metaOf(2147483648) }), MALFORMED],
  ]
}

/** Cases for `uncompressed_bytes` on servers that have the field. */
function uncompressedBytes(server: number): readonly Row[] {
  const meta = metaOf(server)
  const last = size(1).replace('}', ',"uncompressed_bytes":7}')
  return [
    ...NO_INTEGERS.map((token): Row => [`bytes ${token}`, envelope([size(server, token)], { meta }), MALFORMED]),
    ...INTEGERS.map((token): Row => [`bytes ${token}`, envelope([size(server, token)], { meta }), OK]),
    ['bytes twice, the last one good', envelope([last.replace(',"value', ',"uncompressed_bytes":null,"value')], { meta }), OK], // prettier-ignore
    ['bytes twice, the last one null', envelope([last.replace(':7}', ':7,"uncompressed_bytes":null}')], { meta }), MALFORMED], // prettier-ignore
    ['bytes first', envelope([last.replace('{', '{"uncompressed_bytes":7,').replace(',"uncompressed_bytes":7}', '}')], { meta }), OK], // prettier-ignore
    ['bytes with an escaped name', envelope([last.replace('"un', '"\\u0075n')], { meta }), OK],
    ['bytes missing in the second', envelope([size(server), size(1)], { meta }), malformed(/^\/records\/1: \/uncompressed_bytes is missing/)], // prettier-ignore
  ]
}

/** Cases for `uncompressed_bytes` on older servers, which refuse it with any value. */
function unknownBytes(server: number): readonly Row[] {
  const meta = metaOf(server)
  return ['null', '1', '"1"', '1.0'].map(token => [
    `unknown bytes ${token}`,
    envelope([line('compression_size', { uncompressed_bytes: token })], { meta }),
    MALFORMED,
  ])
}

function unknownOpenMode(server: number): readonly Row[] {
  const meta = metaOf(server)
  return ['null', '1', '"cached"', '"reopen"', '"mmap"'].map(token => [
    `unknown open_mode ${token}`,
    envelope([withOpenMode(token)], { meta }),
    MALFORMED,
  ])
}

/** Cases for `open_mode` on servers that have it: a bad value is a record error, a wrong type makes the body malformed. */
function openMode(server: number): readonly Row[] {
  const meta = metaOf(server)
  const bad = withOpenMode('"mmap"')
  const spaced = access(3).replaceAll(',"', ', "')
  return [
    ...OTHER_TYPES.map((token): Row => [`mode ${token}`, envelope([withOpenMode(token)], { meta }), MALFORMED]),
    ...MODES.map((token): Row => [`mode ${token}`, envelope([withOpenMode(token)], { meta }), OK]),
    ...OTHER_MODES.map((token): Row => [
      `mode ${token}`,
      envelope([size(3), withOpenMode(token)], { meta }),
      badRecord(1, MODE),
    ]),
    ['mode missing', envelope([access(1)], { meta }), malformed(/^\/records\/0: \/open_mode is missing/)],
    ['a bad mode, then an unknown kind', envelope([bad, '{"kind":"x"}'], { meta }), MALFORMED],
    ['a bad mode, then a missing one', envelope([bad, access(1)], { meta }), MALFORMED],
    ['a bad mode in a newer envelope', envelope([bad], { meta: metaOf(server + 1) }), tooNew(server, server + 1)],
    ['a bad mode in an older envelope', envelope([bad], { meta: metaOf(server - 1) }), MALFORMED],
    ['a bad mode before a bad storage', envelope([bad, gcs], { meta }), badRecord(0, MODE)],
    ['a bad mode after a bad storage', envelope([size(3), gcs, bad], { meta }), badRecord(1, /^\/storage /)],
    ['a bad mode, then another commit', envelope([bad, size(3).replace(SHA, 'x')], { meta }), badRecord(0, MODE)],
    ['another commit, then a bad mode', envelope([size(3).replace(SHA, 'x'), bad], { meta }), badRecord(0, /^\/commit_sha /)], // prettier-ignore
    ['a bad mode and another commit in one', envelope([bad.replace(SHA, 'x')], { meta }), badRecord(0, /^\/commit_sha /)], // prettier-ignore
    ['a bad mode and U+0000 in one', envelope([withOpenMode('"mmap"', { dataset: '"\\u0000"' })], { meta }), badRecord(0, MODE)], // prettier-ignore
    ['a bad mode and a wrong type in one', envelope([withOpenMode('"mmap"', { value_ns: '1.0' })], { meta }), MALFORMED], // prettier-ignore
    ['a bad mode dropped for a good one', envelope([bad.replace('"value_ns"', '"open_mode":"reopen","value_ns"')], { meta }), OK], // prettier-ignore
    ['a good mode dropped for a bad one', envelope([access(3).replace('"value_ns"', '"open_mode":"x","value_ns"')], { meta }), badRecord(0, MODE)], // prettier-ignore
    ['spaces after commas', envelope([spaced], { meta }), OK],
    ['the same access hot and cold', envelope([access(3), access(3, '"reopen"')], { meta }), OK],
  ]
}

function rowsFor(server: number): readonly Row[] {
  return [
    ...common(server),
    ...(server < 2 ? unknownBytes(server) : uncompressedBytes(server)),
    ...(server < 3 ? unknownOpenMode(server) : openMode(server)),
  ]
}
