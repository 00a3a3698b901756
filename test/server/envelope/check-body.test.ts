/** Tests that checking a body in its bytes gives the same result as checking its parsed tree, for valid and damaged bodies. */

import t from 'tap'
import { checkEnvelope } from '../../../src/contract/envelope.js'
import { CONTRACTS } from '../../../src/contract/kinds.js'
import { readBody } from '../../../src/source/exact-json.js'
import { checkBody } from '../../../src/server/envelope/check-body.js'
import { BEFORE, KIND_NAMES, SHA, line, lineOf, randomTokens, type Tokens } from '../../fixtures/records.js'
import { Random, SEED } from '../../fixtures/random.js'
import { readSharedFixture } from '../../fixtures/shared.js'
import { walkable } from '../fixtures/envelopes.js'

type Verdict = { readonly error: string | null; readonly recordIndex: number | null; readonly records: number | null }

const VERSIONS = [...CONTRACTS.keys()]
/** Changes that remove the fields a record of a contract version does not have. */
const LACKING: Readonly<Record<number, Tokens>> = BEFORE

/** The verdict of checking the parsed tree. @param version the contract version of the server */
function expected(bytes: Buffer, version: number): Verdict {
  const body = readBody(bytes)
  const check = body.ok ? checkEnvelope(body.value, version) : ({ ok: false, error: 'malformed' } as const)
  if (check.ok) return { error: null, recordIndex: null, records: check.envelope.records.length }
  return { error: check.error, recordIndex: check.error === 'record' ? check.recordIndex : null, records: null }
}

/** The verdict of checking the bytes. */
async function found(bytes: Buffer, version: number): Promise<Verdict> {
  const check = await checkBody(walkable(bytes), version)
  if (check.ok) return { error: null, recordIndex: null, records: check.total }
  return { error: check.error, recordIndex: check.error === 'record' ? check.recordIndex : null, records: null }
}

const META = '{"benchmark_id":"b","schema_version":3,"started_at":"now"}'
const COMMIT = `{"sha":"${SHA}","timestamp":"2026-01-01T00:00:00Z","message":"m","author_name":"a","author_email":"b","committer_name":"c","committer_email":"d","tree_sha":"e","url":"f"}`
const RECORDS = `[${KIND_NAMES.map(kind => line(kind)).join(',')}]`
const SIZE = line('compression_size')
const MESSY = line('compression_size', { format: '"\\u00e9\\n"' })

const members = (...pairs: readonly (readonly [string, string])[]): string =>
  `{${pairs.map(([key, value]) => `${key}:${value}`).join(',')}}`
const envelope = (records = RECORDS, { meta = META, commit = COMMIT } = {}): string =>
  members(['"run_meta"', meta], ['"commit"', commit], ['"records"', records])
const nested = (depth: number, open = '[', close = ']'): string => open.repeat(depth) + close.repeat(depth)
const OTHER = line('compression_size', { commit_sha: '"other"' })
const GCS = line('query_measurement', { storage: '"gcs"' })
const PARTIAL = line('query_measurement', { peak_virtual: undefined })
const NUL = line('compression_size', { format: '"\\u0000"' })
const MMAP = line('random_access_time', { open_mode: '"mmap"' })
const UNKNOWN = '{"kind":"nope"}'

/** Converts a body of version 3 to an older contract version. */
function inVersion(version: number, body: string | Buffer): Buffer {
  const text = Buffer.from(body).toString('latin1').replaceAll('"schema_version":3', `"schema_version":${version}`)
  const without2 = version < 2 ? text.replaceAll(',"uncompressed_bytes":16384', '') : text
  return Buffer.from(version < 3 ? without2.replaceAll(',"open_mode":"cached"', '') : without2, 'latin1')
}

/** Bodies of version 3, by the one unusual property that each has. */
const ODD: Readonly<Record<string, string | Buffer>> = {
  'as clients write it': envelope(),
  'no records': envelope('[]'),
  'no records, spaced': envelope('[ \t\r\n ]'),
  'records first': members(['"records"', RECORDS], ['"commit"', COMMIT], ['"run_meta"', META]),
  'records first, of another commit': members(['"records"', `[${OTHER}]`], ['"commit"', COMMIT], ['"run_meta"', META]),
  'records between': members(['"commit"', COMMIT], ['"records"', `[${SIZE},${OTHER}]`], ['"run_meta"', META]),
  'pretty-printed': JSON.stringify(JSON.parse(envelope()), null, 2),
  'pretty-printed with tabs': JSON.stringify(JSON.parse(envelope()), null, '\t').replaceAll('\n', '\r\n'),
  'space around': ` \n${envelope()}\t\r\n `,
  'keys with escapes': envelope().replace('"records"', '"\\u0072ecords"').replace('"commit"', '"commi\\u0074"'),
  'field names with escapes': envelope().replace('"sha"', '"s\\u0068a"').replaceAll('"dataset"', '"data\\u0073et"'),
  'an escaped slash in a key': envelope().replace('"url"', '"ur\\l"'),
  'records twice': members(
    ['"run_meta"', META],
    ['"records"', RECORDS],
    ['"commit"', COMMIT],
    ['"records"', `[${SIZE}]`],
  ),
  'records twice, the dropped ones no records': members(
    ['"run_meta"', META],
    ['"records"', `[${UNKNOWN},1]`],
    ['"commit"', COMMIT],
    ['"records"', RECORDS],
  ),
  'records twice, the last ones no records': members(
    ['"run_meta"', META],
    ['"records"', RECORDS],
    ['"commit"', COMMIT],
    ['"records"', `[${UNKNOWN}]`],
  ),
  'records twice, the dropped ones no JSON': members(
    ['"run_meta"', META],
    ['"records"', `[${UNKNOWN},01]`],
    ['"commit"', COMMIT],
    ['"records"', RECORDS],
  ),
  'records twice, the last no array': members(
    ['"run_meta"', META],
    ['"records"', RECORDS],
    ['"commit"', COMMIT],
    ['"records"', 'null'],
  ),
  'records twice, with a broken rule dropped': members(
    ['"records"', `[${GCS}]`],
    ['"commit"', COMMIT],
    ['"run_meta"', META],
    ['"records"', `[${SIZE},${SIZE},${PARTIAL}]`],
  ),
  'the commit twice, the last one of the records': members(
    ['"run_meta"', META],
    ['"commit"', COMMIT.replace(SHA, 'x')],
    ['"records"', RECORDS],
    ['"commit"', COMMIT],
  ),
  'the commit twice, the last one another': members(
    ['"run_meta"', META],
    ['"commit"', COMMIT],
    ['"records"', RECORDS],
    ['"commit"', COMMIT.replace(SHA, 'x')],
  ),
  'the commit twice, the dropped one nested': members(
    ['"commit"', `{"sha":${nested(124)}}`],
    ['"run_meta"', META],
    ['"commit"', COMMIT],
    ['"records"', RECORDS],
  ),
  'the commit twice, the dropped one too deep': members(
    ['"commit"', `{"sha":${nested(126)}}`],
    ['"run_meta"', META],
    ['"commit"', COMMIT],
    ['"records"', RECORDS],
  ),
  'a field of the commit twice': envelope(RECORDS, { commit: COMMIT.replace('"url":"f"', '"url":[1e2,{}],"url":"f"') }),
  'a field of the commit twice, the last wrong': envelope(RECORDS, {
    commit: COMMIT.replace('"url":"f"', '"url":"f","url":1'),
  }),
  'an unknown field in the commit': envelope(RECORDS, { commit: COMMIT.replace('}', ',"x":1}') }),
  '__proto__ in the commit': envelope(RECORDS, { commit: COMMIT.replace('}', ',"__proto__":{}}') }),
  '__proto__ for a field of the commit': envelope(RECORDS, { commit: COMMIT.replace('"url"', '"__proto__"') }),
  'an unknown field beside the records': members(
    ['"run_meta"', META],
    ['"commit"', COMMIT],
    ['"records"', RECORDS],
    ['"x"', '1'],
  ),
  '__proto__ beside the records': members(
    ['"run_meta"', META],
    ['"__proto__"', COMMIT],
    ['"commit"', COMMIT],
    ['"records"', RECORDS],
  ),
  'no commit': members(['"run_meta"', META], ['"records"', RECORDS]),
  'no run': members(['"commit"', COMMIT], ['"records"', RECORDS]),
  'no array of records': members(['"run_meta"', META], ['"commit"', COMMIT]),
  'a newer version': envelope(RECORDS, { meta: META.replace(':3', ':4') }),
  'a newer version, then a bad record': envelope(`[${UNKNOWN}]`, { meta: META.replace(':3', ':4') }),
  'a newer version, then a broken rule': envelope(`[${GCS}]`, { meta: META.replace(':3', ':4') }),
  'an older version': envelope(RECORDS, { meta: META.replace(':3', ':0') }),
  'a broken rule before a bad record': envelope(`[${GCS},${SIZE},${UNKNOWN}]`),
  'a broken rule, then another commit': envelope(`[${SIZE},${GCS},${OTHER}]`),
  'another commit, then a broken rule': envelope(`[${SIZE},${OTHER},${GCS}]`),
  'another commit first': envelope(`[${OTHER},${SIZE}]`),
  'another commit in all': envelope(`[${OTHER},${OTHER}]`),
  'another commit in one that the fast reader leaves': envelope(`[${MESSY},${MESSY.replace(SHA, 'x')}]`),
  'half of the memory fields': envelope(`[${PARTIAL}]`),
  'U+0000 in a record': envelope(`[${SIZE},${NUL},${GCS}]`),
  'U+0000 in the commit': envelope(RECORDS, { commit: COMMIT.replace('"m"', '"\\u0000"') }),
  'U+0000 in the run': envelope(RECORDS, { meta: META.replace('now', '\\u0000') }),
  'U+0000 in the run of a newer version': envelope(RECORDS, {
    meta: META.replace(':3', ':4').replace('now', '\\u0000'),
  }),
  'records that the fast reader leaves': envelope(`[${MESSY},${SIZE},${MESSY}]`),
  'an array as a record': envelope('[[]]'),
  'numbers as records': envelope('[1,2]'),
  'a comma too many': envelope(`[${SIZE},]`),
  'a comma too few': envelope(`[${SIZE}${SIZE}]`),
  'a colon for a comma': envelope(`[${SIZE}:${SIZE}]`),
  'a bracket too many': `${envelope()}]`,
  'something after it': `${envelope()} {}`,
  nothing: '',
  'only space': ' \n',
  'an opening brace': '{',
  'an opening bracket of records': `{"records":[`,
  'a comma in records and the end': `{"records":[${SIZE},`,
  'a brace in records and the end': `{"records":[{`,
  'an array': '[]',
  'an empty object': '{}',
  null: 'null',
  'a byte-order mark': `\ufeff${envelope()}`,
  'a byte-order mark before the records': envelope(`\ufeff${RECORDS}`),
  'a byte-order mark in a key': envelope().replace('"records"', '"\ufeffrecords"'),
  'invalid UTF-8 in a string': Buffer.from(envelope().replace('"m"', '"\u00ff"'), 'latin1'),
  'invalid UTF-8 after the end': Buffer.concat([Buffer.from(envelope()), Buffer.from([0x80])]),
  'half a character at the end': Buffer.concat([Buffer.from(envelope()), Buffer.from([0xe2, 0x82])]),
  'a lone surrogate': envelope(RECORDS, { commit: COMMIT.replace('"m"', '"\\ud800"') }),
  'a lone low surrogate': envelope(RECORDS, { commit: COMMIT.replace('"m"', '"\\udc00"') }),
  'two high surrogates': envelope(RECORDS, { commit: COMMIT.replace('"m"', '"\\ud800\\ud800\\udc00"') }),
  'two high surrogates and no more': envelope(RECORDS, { commit: COMMIT.replace('"m"', '"\\ud800\\ud800"') }),
  'two high surrogates in a dropped value': envelope(RECORDS, {
    meta: META.replace('{', '{"started_at":"\\ud800\\udbff",'),
  }),
  'a pair of surrogates in a dropped value': envelope(RECORDS, {
    meta: META.replace('{', '{"started_at":"\\udbff\\udfff",'),
  }),
  'a pair of surrogates': envelope(RECORDS, { commit: COMMIT.replace('"m"', '"\\ud83d\\ude00"') }),
  'a lone surrogate in a key': envelope(RECORDS, { commit: COMMIT.replace('"m"', '"m","\\ud800":1') }),
  'a number without end': envelope(RECORDS, { meta: META.replace(':3', `:${'1'.repeat(400)}`) }),
  'a dropped number without end': members(
    ['"run_meta"', '1e400'],
    ['"run_meta"', META],
    ['"commit"', COMMIT],
    ['"records"', RECORDS],
  ),
  'a dropped number close to zero': members(
    ['"run_meta"', '-1e-400'],
    ['"run_meta"', META],
    ['"commit"', COMMIT],
    ['"records"', RECORDS],
  ),
  'a long fraction': members(
    ['"run_meta"', `0.${'9'.repeat(2000)}E+2`],
    ['"run_meta"', META],
    ['"commit"', COMMIT],
    ['"records"', RECORDS],
  ),
  'a key of 10,000 characters': envelope(RECORDS, { commit: COMMIT.replace('{', `{"${'k'.repeat(10_000)}":1,`) }),
  'a key of 10,000 characters beside the records': members([`"${'r'.repeat(10_000)}"`, '1'], ['"commit"', COMMIT]),
}

for (const version of VERSIONS)
  t.test(`a body with an oddity gets the same answer in version ${version}`, async t => {
    for (const [name, body] of Object.entries(ODD)) {
      const bytes = inVersion(version, body)
      t.strictSame(await found(bytes, version), expected(bytes, version), name)
    }
    t.strictSame(expected(inVersion(version, envelope()), version).error, null)
  })

t.test('a body of another version gets the same answer', async t => {
  for (const server of VERSIONS)
    for (const version of VERSIONS.filter(version => version !== server))
      for (const [name, body] of Object.entries(ODD)) {
        const bytes = inVersion(version, body)
        t.strictSame(await found(bytes, server), expected(bytes, server), `version ${version} to ${server}: ${name}`)
      }
})

t.test('depth is counted over the whole body', async t => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const)
    for (const depth of [120, 122, 123, 124, 125, 126, 127, 128, 129, 300])
      for (const body of [
        members(['"records"', nested(depth, open, close)], ['"records"', RECORDS], ['"run_meta"', META]),
        envelope(RECORDS, { commit: `{"sha":${nested(depth, open, close)},${COMMIT.slice(1)}` }),
        envelope(`[${SIZE.replace('{', `{"format":${nested(depth, open, close)},`)}]`),
        envelope(`[{"format":${nested(depth, open, close)},${SIZE.slice(1)}]`),
        nested(depth, open, close),
      ]) {
        const valid = open === '{"a":' ? body.replaceAll(':}', ':1}') : body
        const bytes = Buffer.from(valid)
        t.strictSame(await found(bytes, 3), expected(bytes, 3), `${depth} ${valid.slice(0, 20)}`)
      }
})

t.test('a body cut anywhere gets the same answer', async t => {
  const whole = Buffer.from(envelope(`[${SIZE}, ${MESSY}]`))
  const wrong: number[] = []
  for (let length = 0; length <= whole.length; length++) {
    const cut = whole.subarray(0, length)
    if (JSON.stringify(await found(cut, 3)) !== JSON.stringify(expected(cut, 3))) wrong.push(length)
  }
  t.strictSame(wrong, [])
})

t.test(`bodies that chance made and then spoilt get the same answer (seed ${SEED})`, async t => {
  const random = new Random()
  const answers = new Map<string, number>()
  for (let round = 0; round < 6_000; round++) {
    const version = random.pick(VERSIONS)
    const bytes = spoilt(random, Buffer.from(randomBody(random, version)))
    const wanted = expected(bytes, version)
    const got = await found(bytes, version)
    if (JSON.stringify(got) !== JSON.stringify(wanted))
      return t.strictSame(got, wanted, `${version} ${bytes.toString()}`)
    const key = `${version} ${wanted.error}`
    answers.set(key, (answers.get(key) ?? 0) + 1)
  }
  for (const version of VERSIONS)
    for (const answer of ['null', 'malformed', 'record', 'schema_version_too_new'].map(error => `${version} ${error}`))
      t.ok((answers.get(answer) ?? 0) > 20, `${answer}: ${answers.get(answer)} times`)
})

/** A random body, usually of the given contract version and sometimes of another one. */
function randomBody(random: Random, version: number): string {
  const stated = random.chance(0.15) ? version + random.pick([-1, 1, 1]) : version
  const parts: [string, string][] = [
    ['"run_meta"', META.replace(':3', `:${stated}`)],
    ['"commit"', COMMIT],
    ['"records"', randomRecords(random, version)],
  ]
  if (random.chance(0.2)) parts.push(['"records"', randomRecords(random, version)])
  if (random.chance(0.1)) parts.push(['"commit"', COMMIT.replace(SHA, random.pick([SHA, 'x', '']))])
  const shuffled = random.chance(0.5) ? random.shuffled(parts) : parts
  return members(...shuffled)
}

function randomRecords(random: Random, version: number): string {
  const records = Array.from({ length: random.int(0, 6) }, () => {
    if (random.chance(0.08))
      return inVersion(version, random.pick([OTHER, GCS, PARTIAL, NUL, MESSY, MMAP])).toString('utf8')
    const { kind, tokens } = randomTokens(random)
    const fields = { ...tokens, ...LACKING[random.chance(0.02) ? random.pick(VERSIONS) : version] }
    const pairs = Object.entries({ kind: `"${kind}"`, ...fields })
    return lineOf(Object.fromEntries(random.chance(0.2) ? random.shuffled(pairs) : pairs))
  })
  return `[${records.join(random.pick([',', ' , ', ',\n  ']))}]`
}

const SCRAPS = ['"', ',', ':', '[', ']', '{', '}', '\\', '0', '-', 'e', '.', ' ', '\n', 'null', '1e400', '\\u0000', '\\ud800', 'é', '"x":1,', '"kind":"compression_size",', '[[]]', '{},'] // prettier-ignore

/** The bytes unchanged or with one to three small changes. */
function spoilt(random: Random, bytes: Buffer): Buffer {
  if (random.chance(0.3)) return bytes
  let all = bytes
  for (let changes = random.int(1, 3); changes > 0; changes--) all = changed(random, all)
  return all
}

function changed(random: Random, bytes: Buffer): Buffer {
  const at = random.int(0, bytes.length)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (random.int(0, 4)) {
    case 0:
      return Buffer.concat([before, Buffer.from(random.pick(SCRAPS)), after])
    case 1:
      return Buffer.concat([before, after.subarray(random.int(1, 3))])
    case 2:
      return Buffer.concat([before, after.subarray(0, 20), after])
    case 3:
      return Buffer.concat([before, random.bytes(1), after.subarray(1)])
    default:
      return random.chance(0.2) ? before : Buffer.concat([before, Buffer.from(' '), after])
  }
}

t.test('every reference envelope gets the answer of the reference server, which is at version 1', async t => {
  const text = await readSharedFixture(t, 'fixtures/envelopes.jsonl')
  if (text === undefined) return
  for (const row of text.trimEnd().split('\n')) {
    const { why, body, body_b64, expect } = JSON.parse(row) as {
      readonly why: string
      readonly body?: string
      readonly body_b64?: string
      readonly expect: { readonly error: string | null; readonly record_index: number | null }
    }
    const bytes = body === undefined ? Buffer.from(body_b64 ?? '', 'base64') : Buffer.from(body)
    const { error, recordIndex } = await found(bytes, 1)
    t.strictSame({ error, recordIndex }, { error: expect.error, recordIndex: expect.record_index }, why)
  }
})
