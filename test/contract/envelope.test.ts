import t from 'tap'
import { readSharedFixture } from '../fixtures/shared.js'
import { BEFORE, KIND_NAMES, SHA, line } from '../fixtures/records.js'
import { checkEnvelope, type EnvelopeCheck } from '../../src/contract/envelope.js'
import { readBody } from '../../src/source/exact-json.js'

type Case = {
  why: string
  stage: string
  body?: string
  body_b64?: string
  expect: { status: number; error: string | null; record_index: number | null }
}

t.test('every reference envelope gets the answer of the reference server', async t => {
  const text = await readSharedFixture(t, 'fixtures/envelopes.jsonl')
  if (text === undefined) return
  const cases = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Case)
  for (const { why, body, body_b64, expect } of cases) {
    const bytes = body === undefined ? Buffer.from(body_b64 ?? '', 'base64') : Buffer.from(body)
    t.strictSame(answer(bytes), { status: expect.status, error: expect.error, record_index: expect.record_index }, why)
  }
})

function answer(bytes: Buffer): Case['expect'] {
  const body = readBody(bytes)
  // The expected results are those of a server of version 1.
  const check = body.ok ? checkEnvelope(body.value, 1) : ({ ok: false, error: 'malformed' } as const)
  if (check.ok) return { status: 200, error: null, record_index: null }
  if (check.error === 'record') return { status: 400, error: 'record', record_index: check.recordIndex }
  return { status: check.error === 'malformed' ? 400 : 409, error: check.error, record_index: null }
}

const META = '{"benchmark_id":"b","schema_version":3,"started_at":"now"}'
const COMMIT = `{"sha":"${SHA}","timestamp":"t","message":"m","author_name":"a","author_email":"b","committer_name":"c","committer_email":"d","tree_sha":"e","url":"f"}`
const envelope = (records: readonly string[], { meta = META, commit = COMMIT } = {}): string =>
  `{"run_meta":${meta},"commit":${commit},"records":[${records.join(',')}]}`
const check = (text: string, version?: number): EnvelopeCheck => {
  const body = readBody(Buffer.from(text))
  if (!body.ok) throw new Error(body.message)
  return checkEnvelope(body.value, version)
}
const metaOf = (version: number | string): string => META.replace(':3', `:${version}`)

t.test('an envelope is taken with its records in order, and may hold none', async t => {
  const taken = check(envelope(KIND_NAMES.map(kind => line(kind))))
  t.strictSame(taken.ok && taken.envelope.records.map(({ kind }) => kind.kind), KIND_NAMES)
  t.strictSame(taken.ok && taken.envelope.runMeta, { benchmark_id: 'b', schema_version: 3, started_at: 'now' })
  t.strictSame(taken.ok && taken.envelope.commit.sha, SHA)
  t.equal(check(envelope([])).ok, true)
})

t.test('shape comes before version, version before records, and records are judged in order', async t => {
  const meta = metaOf(4)
  const gcs = line('query_measurement', { storage: '"gcs"' })
  const partial = line('query_measurement', { peak_virtual: 'null' })
  t.match(check(envelope([gcs, '{"kind":"nope"}'], { meta })), {
    error: 'malformed',
    message: /^\/records\/1: \/kind must be /,
  })
  t.strictSame(check(envelope([gcs], { meta })), { ok: false, error: 'schema_version_too_new', expected: 3, got: 4 })
  t.match(check(envelope([line('compression_size'), partial, gcs])), {
    error: 'record',
    recordIndex: 1,
    message: /all present or all absent/,
  })
  t.match(check(envelope([line('compression_size', { commit_sha: '"x"' })])), {
    error: 'record',
    recordIndex: 0,
    message: /^\/commit_sha must be /,
  })
})

t.test('an older version is malformed, and so is one that is no 32-bit integer', async t => {
  for (const version of ['2', '1', '0', '-1', '2147483648', '3.0', '"3"', 'null'])
    t.match(check(envelope([], { meta: metaOf(version) })), { ok: false, error: 'malformed' }, version)
})

t.test('a server of an older version takes its own envelopes and refuses newer and older ones', async t => {
  const older = { 1: BEFORE[1], 2: BEFORE[2], 3: {} }
  for (const version of [1, 2, 3] as const) {
    const records = KIND_NAMES.map(kind => line(kind, older[version]))
    t.equal(check(envelope(records, { meta: metaOf(version) }), version).ok, true, `version ${version}`)
    t.strictSame(
      check(envelope([], { meta: metaOf(version + 1) }), version),
      { ok: false, error: 'schema_version_too_new', expected: version, got: version + 1 },
      `a newer envelope to version ${version}`,
    )
    t.match(
      check(envelope([], { meta: metaOf(version - 1) }), version),
      { error: 'malformed', message: `/run_meta/schema_version must be ${version}, got ${version - 1}` },
      `an older envelope to version ${version}`,
    )
  }
})

t.test('within a version, fields of a later version are unknown and its own are required', async t => {
  const size = line('compression_size')
  t.match(check(envelope([size], { meta: metaOf(1) }), 1), {
    error: 'malformed',
    message: '/records/0: "/uncompressed_bytes" is not a field of this kind before contract version 2',
  })
  t.match(check(envelope([line('random_access_time', BEFORE[2])])), {
    error: 'malformed',
    message: '/records/0: /open_mode is missing (required since contract version 3)',
  })
  t.match(check(envelope([size, line('random_access_time', { open_mode: '"warm"' })])), {
    error: 'record',
    recordIndex: 1,
    message: '/open_mode must be one of cached, reopen, got "warm"',
  })
})

t.test('U+0000 is taken in the run, malformed in the commit, and a record error in a record', async t => {
  const nul = 'a string holds U+0000, which Postgres text cannot hold'
  t.match(check(envelope([], { meta: META.replace('now', '\\u0000') })), { ok: true })
  t.match(check(envelope([], { commit: COMMIT.replace('"m"', '"\\u0000"') })), { error: 'malformed', message: nul })
  const record = line('compression_size', { format: '"\\u0000"' })
  t.match(check(envelope([line('compression_size'), record])), { error: 'record', recordIndex: 1, message: /U\+0000/ })
})

t.test('an array in place of an object is malformed', async t => {
  for (const text of [
    '[]',
    envelope([], { meta: '[]' }),
    envelope([], { commit: '[]' }),
    envelope(['[]']),
    'null',
    '"x"',
  ])
    t.match(check(text), { ok: false, error: 'malformed', message: /must be an object/ }, text.slice(0, 60))
})
