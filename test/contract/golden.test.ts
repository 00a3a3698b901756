import { readFile } from 'node:fs/promises'
import t from 'tap'
import type { ExactValue } from '../../src/contract/exact-value.js'
import { goldenFile, mismatches, readVectors, type Vector } from '../../src/contract/golden.js'
import { jsHash64, wasmHash64, type Hash64 } from '../../src/contract/hash64.js'
import { CONTRACTS } from '../../src/contract/kinds.js'
import { readBody } from '../../src/source/exact-json.js'
import { readSharedFixture } from '../fixtures/shared.js'

const ROOT = new URL('../../', import.meta.url)
const GOLDEN = new URL(goldenFile(1), ROOT)
const implementations: Readonly<Record<string, Hash64>> = { wasm: await wasmHash64(), js: await jsHash64() }

t.test('both implementations give the id of every golden vector of every version', async t => {
  for (const version of CONTRACTS.keys()) {
    const { contractVersion, vectors } = read(await readFile(new URL(goldenFile(version), ROOT), 'utf8'))
    t.equal(contractVersion, version)
    t.ok(vectors.length > 300, `${vectors.length} vectors of version ${version}`)
    t.strictSame(new Set(vectors.map(({ kind }) => kind.kind)).size, 5)
    for (const [name, hash] of Object.entries(implementations)) t.strictSame(mismatches(vectors, hash), [], name)
  }
})

t.test('the vectors of a version hold under every later one, because ids never change', async t => {
  for (const older of CONTRACTS.keys()) {
    const text = await readFile(new URL(goldenFile(older), ROOT), 'utf8')
    for (const newer of [...CONTRACTS.keys()].filter(version => version > older)) {
      const vectors = vectorsOf(text.replace(`"contract_version":${older}`, `"contract_version":${newer}`))
      t.strictSame(mismatches(vectors, implementations['wasm']!), [], `version ${older} under ${newer}`)
    }
  }
})

t.test('version 3 has hundreds of vectors of each open mode', async t => {
  const vectors = vectorsOf(await readFile(new URL(goldenFile(3), ROOT), 'utf8'))
  const access = vectors.filter(({ kind }) => kind.kind === 'random_access_time')
  for (const openMode of ['cached', 'reopen', undefined]) {
    const count = access.filter(({ fields }) => fields['open_mode'] === openMode).length
    t.ok(count > 200, `${count} of ${openMode}`)
  }
})

t.test('the ids that the contract states for open_mode are the ids of both implementations', async t => {
  const vectors = vectorsOf(
    document(3, accessVector('"cached"', '164255076009922704'), accessVector('"reopen"', '-4421471856282394060')),
  )
  for (const [name, hash] of Object.entries(implementations)) t.strictSame(mismatches(vectors, hash), [], name)
})

t.test('an open mode may be absent, but not null or a number', async t => {
  const absent = accessVector('"cached"', '164255076009922704').replace(',"open_mode":"cached"', '')
  t.strictSame(mismatches(vectorsOf(document(3, absent)), implementations['wasm']!), [])
  for (const openMode of ['null', '1'])
    t.strictSame(readVectors(parsed(document(3, accessVector(openMode, '1')))), {
      ok: false,
      message: '/vectors/0 has no usable /fields/open_mode',
    })
})

t.test('a document is read by the version that it states, or by the newest', async t => {
  const reopened = accessVector('"reopen"', '-4421471856282394060')
  t.equal(mismatches(vectorsOf(document(1, reopened)), implementations['wasm']!).length, 1)
  t.strictSame(mismatches(vectorsOf(file(reopened)), implementations['wasm']!), [])
  t.match(readVectors(parsed(document(3, reopened))), { contractVersion: 3 })
  t.match(readVectors(parsed(file(reopened))), { contractVersion: Math.max(...CONTRACTS.keys()) })
})

t.test('a contract version that is unknown is refused', async t => {
  const known = [...CONTRACTS.keys()].join(', ')
  for (const [token, got] of [
    ['0', '0'],
    ['99', '99'],
    ['"3"', '"3"'],
    ['null', 'null'],
  ] as const)
    t.strictSame(readVectors(parsed(`{"contract_version":${token},"seed":0,"vectors":[]}`)), {
      ok: false,
      message: `has a "contract_version" that is none of ${known}: ${got}`,
    })
})

t.test('both implementations give the id of every published vector', async t => {
  const text = await readSharedFixture(t, 'contract/golden-upstream.json')
  if (text === undefined) return
  const vectors = vectorsOf(text)
  t.equal(vectors.length, 63)
  for (const [name, hash] of Object.entries(implementations)) t.strictSame(mismatches(vectors, hash), [], name)
})

t.test('a vector that does not hold is named, with both ids digit for digit', async t => {
  const vectors = vectorsOf(await readFile(GOLDEN, 'utf8'))
  const [first, second] = vectors as readonly [Vector, Vector]
  t.strictSame(mismatches([first, { ...second, id: second.id + 1n }, first], implementations['wasm']!), [
    { index: 1, table: second.kind.table, expected: `${second.id + 1n}`, got: `${second.id}` },
  ])
})

const SIZE = '"table":"compression_sizes"'
const FIELDS = '"fields":{"commit_sha":"a","dataset":"d","format":"f"}'
const SEARCH = '"table":"vector_search_runs"'
const searchFields = (threshold: string): string =>
  `"fields":{"commit_sha":"a","dataset":"d","layout":"l","flavor":"f"${threshold}}`

const BAD: readonly [text: string, message: string][] = [
  ['[]', 'has no array "vectors"'],
  ['{"seed":0}', 'has no array "vectors"'],
  ['{"seed":0,"vectors":{}}', 'has no array "vectors"'],
  ['{"vectors":[]}', 'has another seed than 0'],
  ['{"seed":1,"vectors":[]}', 'has another seed than 0'],
  ['{"seed":"0","vectors":[]}', 'has another seed than 0'],
  [file('1'), '/vectors/0 is not an object'],
  [file('null'), '/vectors/0 is not an object'],
  [file(`{${FIELDS},"measurement_id":1}`), '/vectors/0 names no table of the contract: nothing'],
  [file('{"table":"commits"}'), '/vectors/0 names no table of the contract: "commits"'],
  [file('{"table":"query_measurement"}'), '/vectors/0 names no table of the contract: "query_measurement"'],
  [file('{"table":{}}'), '/vectors/0 names no table of the contract: an object'],
  [file('{"table":[{}]}'), '/vectors/0 names no table of the contract: an array'],
  [file(`{${SIZE},"measurement_id":1}`), '/vectors/0 has no object "fields"'],
  [file(`{${SIZE},"fields":[],"measurement_id":1}`), '/vectors/0 has no object "fields"'],
  [file(`{${SIZE},${FIELDS}}`), '/vectors/0 has no 64-bit integer "measurement_id"'],
  [file(`{${SIZE},${FIELDS},"measurement_id":"1"}`), '/vectors/0 has no 64-bit integer "measurement_id"'],
  [file(`{${SIZE},${FIELDS},"measurement_id":1.0}`), '/vectors/0 has no 64-bit integer "measurement_id"'],
  [
    file(`{${SIZE},${FIELDS},"measurement_id":9223372036854775808}`),
    '/vectors/0 has no 64-bit integer "measurement_id"',
  ],
  [
    file(`{${SIZE},"fields":{"dataset":"d","format":"f"},"measurement_id":1}`),
    '/vectors/0 has no usable /fields/commit_sha',
  ],
  [
    file(`{${SIZE},"fields":{"commit_sha":"a","dataset":null,"format":"f"},"measurement_id":1}`),
    '/vectors/0 has no usable /fields/dataset',
  ],
  [
    file(`{${SIZE},"fields":{"commit_sha":"a","dataset":"d","dataset_variant":1,"format":"f"},"measurement_id":1}`),
    '/vectors/0 has no usable /fields/dataset_variant',
  ],
  [file(`{${SEARCH},${searchFields('')},"measurement_id":1}`), '/vectors/0 has no usable /fields/threshold'],
  [
    file(`{${SEARCH},${searchFields(',"threshold":"1"')},"measurement_id":1}`),
    '/vectors/0 has no usable /fields/threshold',
  ],
  [file(`{${SIZE},${FIELDS},"measurement_id":1}`, '0'), '/vectors/1 is not an object'],
]

t.test('a file of vectors that cannot be used is refused, naming the place', async t => {
  for (const [text, message] of BAD) t.strictSame(readVectors(parsed(text)), { ok: false, message }, text)
})

t.test('a query whose index is no 32-bit integer cannot be hashed', async t => {
  const vector = (query_idx: string): string =>
    `{"table":"query_measurements","fields":{"commit_sha":"a","dataset":"d","query_idx":${query_idx},"storage":"s","engine":"e","format":"f"},"measurement_id":1}`
  for (const token of ['2147483648', '1.0', '"1"', 'null'])
    t.match(
      readVectors(parsed(file(vector(token)))),
      { ok: false, message: '/vectors/0 has no usable /fields/query_idx' },
      token,
    )
  t.equal(readVectors(parsed(file(vector('-2147483648')))).ok, true)
})

t.test('an empty list, and thresholds as integers, are fine', async t => {
  t.match(readVectors(parsed('{"seed":0,"vectors":[]}')), { ok: true, vectors: [] })
  t.equal(readVectors(parsed(file(`{${SEARCH},${searchFields(',"threshold":1')},"measurement_id":-1}`))).ok, true)
})

function file(...vectors: string[]): string {
  return `{"seed":0,"vectors":[${vectors.join(',')}]}`
}

function document(version: number, ...vectors: string[]): string {
  return file(...vectors).replace('{', `{"contract_version":${version},`)
}

/** The record whose ids are stated in contract section 8. */
function accessVector(openMode: string, id: string): string {
  const fields = `"commit_sha":"0123456789abcdef0123456789abcdef01234567","dataset":"taxi","format":"parquet"`
  return `{"table":"random_access_times","fields":{${fields},"open_mode":${openMode}},"measurement_id":${id}}`
}

function vectorsOf(text: string): readonly Vector[] {
  return read(text).vectors
}

function read(text: string): { readonly contractVersion: number; readonly vectors: readonly Vector[] } {
  const file = readVectors(parsed(text))
  if (!file.ok) throw new Error(file.message)
  return file
}

function parsed(text: string): ExactValue {
  const body = readBody(Buffer.from(text))
  if (!body.ok) throw new Error(body.message)
  return body.value
}
