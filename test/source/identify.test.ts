import { readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { realText, type ExactValue } from '../../src/contract/exact-value.js'
import { goldenFile, readVectors, type Vector } from '../../src/contract/golden.js'
import { jsHash64, wasmHash64 } from '../../src/contract/hash64.js'
import { CONTRACTS } from '../../src/contract/kinds.js'
import { measurementId } from '../../src/contract/measurement-id.js'
import { checkShape, type BenchRecord } from '../../src/contract/validate.js'
import { readBody } from '../../src/source/exact-json.js'
import { createIdentifier } from '../../src/source/identify.js'
import { addRecord, readRecord } from '../../src/source/read-record.js'
import { RecordBatch } from '../../src/source/record-batch.js'
import { Random, SEED } from '../fixtures/random.js'
import { BEFORE, line, lineOf, VALID, type KindName, type Tokens, plainLineOfAnyVersion } from '../fixtures/records.js'
import { readSharedFixture } from '../fixtures/shared.js'
import { readAll } from './fixtures/reading.js'

const hash = await wasmHash64()
const identify = createIdentifier(hash)

async function idsOf(lines: readonly string[]): Promise<readonly bigint[]> {
  const { rows, rejections } = await readAll(lines.join('\n'), { identify })
  if (rejections.length > 0) throw new Error(rejections[0]?.message)
  return rows.map(({ id }) => id)
}

/** Computes the id from a single record object. Shares no code with batches except the encoding of the hashed bytes. */
function idOfObject(text: string): bigint {
  const result = readRecord(Buffer.from(text))
  if (!result.ok) throw new Error(result.problem.message)
  return measurementId(result.record.kind, result.record.fields, hash)
}

t.test(`a batch and an object give the same ids, whichever reader took the line (seed ${SEED})`, async t => {
  const random = new Random()
  // Some lines get a tab between tokens, which makes the scanner leave them to the exact reader.
  const lines = Array.from({ length: 5_000 }, () => plainLineOfAnyVersion(random)).map(text =>
    random.chance(0.3) ? text.replace(':', ':\t') : text,
  )
  t.strictSame(await idsOf(lines), lines.map(idOfObject))
})

for (const version of CONTRACTS.keys())
  t.test(`every golden vector of version ${version} gets its id in a batch`, async t => {
    const text = await readFile(new URL(`../../${goldenFile(version)}`, import.meta.url), 'utf8')
    await checkVectors(t, vectorsOf(text))
  })

t.test('every published vector gets its id in a batch', async t => {
  const text = await readSharedFixture(t, 'contract/golden-upstream.json')
  if (text === undefined) return
  const vectors = vectorsOf(text)
  t.equal(vectors.length, 63)
  await checkVectors(t, vectors)
})

/** Vectors test only the hash. Some have a storage that no valid record has, so they are added to the batch directly. */
async function checkVectors(t: Test, vectors: readonly Vector[]): Promise<void> {
  const batch = new RecordBatch()
  batch.reset(Buffer.alloc(0), 0)
  for (const vector of vectors) addRecord(batch, recordOf(lineOfVector(vector)), { line: 1, start: 0 })
  identify(batch)
  t.strictSame(
    [...batch.ids.subarray(0, batch.count)],
    vectors.map(({ id }) => id),
  )
  const valid = vectors.filter(vector => readRecord(Buffer.from(lineOfVector(vector))).ok)
  t.ok(valid.length > 20, `${valid.length} of ${vectors.length} make a valid line`)
  t.strictSame(
    await idsOf(valid.map(lineOfVector)),
    valid.map(({ id }) => id),
  )
}

t.test('every reference record gets its id, as it stands, by both ways and both implementations', async t => {
  const text = await readSharedFixture(t, 'fixtures/ids.jsonl')
  if (text === undefined) return
  const cases = text.trimEnd().split('\n').map(readCase)
  t.equal(cases.length, 533)
  const expected = cases.map(({ id }) => id)
  t.strictSame(await idsOf(cases.map(({ record }) => record)), expected, 'by way of a batch')
  t.strictSame(
    cases.map(({ record }) => idOfObject(record)),
    expected,
    'by way of an object',
  )
  const { rows } = await readAll(cases.map(({ record }) => record).join('\n'), {
    identify: createIdentifier(await jsHash64()),
  })
  t.strictSame(
    rows.map(({ id }) => id),
    expected,
    'with the second implementation',
  )
})

/** Ids of contract section 8 for the open modes `cached`, which is not hashed, and `reopen`. */
const CACHED = 164255076009922704n
const REOPEN = -4421471856282394060n

t.test('the open mode of a random access is hashed only when it is not cached', async t => {
  const access = (changes: Tokens): string => line('random_access_time', { format: '"parquet"', ...changes })
  const cases: readonly (readonly [text: string, id: bigint])[] = [
    [access(BEFORE[1]), CACHED],
    [access({ open_mode: '"cached"' }), CACHED],
    [access({ open_mode: '"reopen"' }), REOPEN],
  ]
  const lines = cases.map(([text]) => text)
  const expected = cases.map(([, id]) => id)
  t.strictSame(await idsOf(lines), expected, 'by the fast reader')
  const tabbed = lines.map(text => text.replace(':', ':\t'))
  t.strictSame(await idsOf(tabbed), expected, 'by the exact reader')
  t.strictSame(await idsOf([access({ open_mode: '"\\u0063ached"' })]), [CACHED], 'however it is escaped')
  t.strictSame(lines.map(idOfObject), expected, 'by way of an object')
  const { rows } = await readAll(lines.join('\n'), { identify: createIdentifier(await jsHash64()) })
  t.strictSame(
    rows.map(({ id }) => id),
    expected,
    'with the second implementation',
  )
})

t.test('the uncompressed size is no part of the id', async t => {
  const [one, other, old] = await idsOf([
    line('compression_size'),
    line('compression_size', { uncompressed_bytes: '1' }),
    line('compression_size', BEFORE[1]),
  ])
  t.equal(one, other)
  t.equal(one, old)
})

t.test('-0, -0.0 and -0e5 are one measurement by way of a line too, and 0 is another', async t => {
  const [negative, ...others] = await idsOf(
    ['-0', '-0.0', '-0e5', '-0.000', '-1e-400'].map(threshold => line('vector_search_run', { threshold })),
  )
  for (const id of others) t.equal(id, negative)
  for (const id of await idsOf(['0', '0.0', '0e5'].map(threshold => line('vector_search_run', { threshold }))))
    t.not(id, negative)
})

t.test('a threshold as integer or as real, a query index in every range, are hashed by what they mean', async t => {
  for (const [one, other] of [
    ['1', '1.0'],
    ['100', '1e2'],
    ['-7', '-7.000'],
    ['9007199254740993', '9007199254740992'],
    ['0.1', '0.1000000000000000055511151231257827'],
  ] as const) {
    const [a, b] = await idsOf([one, other].map(threshold => line('vector_search_run', { threshold })))
    t.equal(a, b, `${one} and ${other}`)
  }
  const indexes = ['0', '-1', '999999999', '1000000000', '2147483647', '-2147483648'].map(query_idx =>
    line('query_measurement', { query_idx }),
  )
  t.strictSame(await idsOf(indexes), indexes.map(idOfObject))
})

t.test('order of keys, spaces, escapes and null for absent change no id; "" and a repeated key do', async t => {
  const plain = line('query_measurement', { dataset_variant: undefined })
  const [id, ...same] = await idsOf([
    plain,
    line('query_measurement', { dataset_variant: 'null' }),
    plain.replace(/,/g, ' , '),
    lineOf(
      Object.fromEntries(
        Object.entries({
          ...VALID.query_measurement,
          dataset_variant: undefined,
          kind: '"query_measurement"',
        }).reverse(),
      ),
    ),
    line('query_measurement', { dataset_variant: undefined, dataset: '"tp\\u0063h"' }),
    line('query_measurement', { dataset_variant: undefined, value_ns: '0', env_triple: 'null' }),
  ])
  for (const other of same) t.equal(other, id)
  const different = await idsOf([
    line('query_measurement', { dataset_variant: '""' }),
    plain.replace('}', ',"dataset":"other"}'),
  ])
  for (const other of different) t.not(other, id)
})

function recordOf(text: string): BenchRecord {
  const body = readBody(Buffer.from(text))
  const shape = body.ok ? checkShape(body.value) : undefined
  if (shape?.ok !== true) throw new Error(`a vector makes no record: ${text}`)
  return shape.value
}

function vectorsOf(text: string): readonly Vector[] {
  const body = readBody(Buffer.from(text))
  const file = body.ok ? readVectors(body.value) : body
  if (!file.ok) throw new Error(file.message)
  return file.vectors
}

/** A complete record line with the dimensions of a vector. */
function lineOfVector({ kind: { kind, fields }, fields: dimensions }: Vector): string {
  const name = kind as KindName
  const tokens: Record<string, string | undefined> = { kind: `"${name}"`, ...VALID[name] }
  for (const field of fields.filter(({ dimension }) => dimension)) tokens[field.name] = tokenOf(dimensions[field.name])
  return lineOf(tokens satisfies Tokens)
}

function tokenOf(value: ExactValue | undefined): string | undefined {
  if (typeof value === 'bigint') return value.toString()
  return typeof value === 'number' ? realText(value) : JSON.stringify(value)
}

/** Cuts the record out of its line instead of parsing it, because its tokens must stay unchanged. */
function readCase(text: string): { readonly record: string; readonly id: bigint } {
  const [, record, id] = /^\{"record":(\{.*\}),"measurement_id":"(-?\d+)"\}$/.exec(text) ?? []
  if (record === undefined || id === undefined) throw new Error(`not a line of the fixture: ${text.slice(0, 80)}`)
  return { record, id: BigInt(id) }
}
