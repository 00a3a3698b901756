import { readFile } from 'node:fs/promises'
import t from 'tap'
import type { ExactValue } from '../../src/contract/exact-value.js'
import { mismatches, readVectors, type Vector } from '../../src/contract/golden.js'
import { jsHash64, wasmHash64, type Hash64 } from '../../src/contract/hash64.js'
import { readBody } from '../../src/source/body.js'
import { readSharedFixture } from '../fixtures/shared.js'

const GOLDEN = new URL('../../golden/measurement-id.json', import.meta.url)
const implementations: Readonly<Record<string, Hash64>> = { wasm: await wasmHash64(), js: await jsHash64() }

t.test('both implementations give the id of every golden vector', async t => {
  const vectors = vectorsOf(await readFile(GOLDEN, 'utf8'))
  t.ok(vectors.length > 100, `${vectors.length} vectors`)
  t.strictSame(new Set(vectors.map(({ kind }) => kind.kind)).size, 5)
  for (const [name, hash] of Object.entries(implementations)) t.strictSame(mismatches(vectors, hash), [], name)
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
  t.strictSame(readVectors(parsed('{"seed":0,"vectors":[]}')), { ok: true, vectors: [] })
  t.equal(readVectors(parsed(file(`{${SEARCH},${searchFields(',"threshold":1')},"measurement_id":-1}`))).ok, true)
})

function file(...vectors: string[]): string {
  return `{"seed":0,"vectors":[${vectors.join(',')}]}`
}

function vectorsOf(text: string): readonly Vector[] {
  const file = readVectors(parsed(text))
  if (!file.ok) throw new Error(file.message)
  return file.vectors
}

function parsed(text: string): ExactValue {
  const body = readBody(Buffer.from(text))
  if (!body.ok) throw new Error(body.message)
  return body.value
}
