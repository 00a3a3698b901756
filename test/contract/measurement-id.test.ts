import t from 'tap'
import type { ExactObject } from '../../src/contract/exact-value.js'
import { jsHash64, wasmHash64, type Hash64 } from '../../src/contract/hash64.js'
import { CONTRACT } from '../../src/contract/kinds.js'
import { measurementId } from '../../src/contract/measurement-id.js'
import { IngestError } from '../../src/errors.js'
import { readRecord } from '../../src/source/read-record.js'
import { VALID, line, lineOf, type KindName, type Tokens } from '../fixtures/records.js'

const hash = await wasmHash64()

/** For each kind, the bytes of contract section 6 for its first dimensions, written by hand as text or, after `#`, as hex. */
const LAYOUTS: Readonly<Record<KindName, { readonly changes: Tokens; readonly bytes: readonly string[] }>> = {
  query_measurement: {
    changes: { commit_sha: '"abc"', dataset: '"größe"', dataset_variant: 'null', scale_factor: '""', query_idx: '-2' },
    bytes: [
      ...['query_measurements', '#00'],
      ...['#0300000000000000', 'abc'],
      ...['#0700000000000000', 'gr', '#c3b6', '#c39f', 'e'],
      '#00',
      ...['#01', '#0000000000000000'],
      '#feffffff',
      ...['#0400000000000000', 'nvme'],
      ...['#0a00000000000000', 'datafusion'],
      ...['#0700000000000000', 'parquet'],
    ],
  },
  compression_time: {
    changes: { commit_sha: '"abc"', dataset_variant: '"🙂"' },
    bytes: [
      ...['compression_times', '#00'],
      ...['#0300000000000000', 'abc'],
      ...['#0400000000000000', 'taxi'],
      ...['#01', '#0400000000000000', '#f09f9982'],
      ...['#0600000000000000', 'vortex'],
      ...['#0600000000000000', 'encode'],
    ],
  },
  compression_size: {
    changes: { commit_sha: `"${'a'.repeat(300)}"`, dataset_variant: undefined },
    bytes: [
      ...['compression_sizes', '#00'],
      ...['#2c01000000000000', 'a'.repeat(300)],
      ...['#0400000000000000', 'taxi'],
      '#00',
      ...['#0600000000000000', 'vortex'],
    ],
  },
  random_access_time: {
    changes: { commit_sha: '""' },
    bytes: [
      ...['random_access_times', '#00'],
      '#0000000000000000',
      ...['#0400000000000000', 'taxi'],
      ...['#0600000000000000', 'vortex'],
    ],
  },
  vector_search_run: {
    changes: { commit_sha: '"abc"', threshold: '-0.75' },
    bytes: [
      ...['vector_search_runs', '#00'],
      ...['#0300000000000000', 'abc'],
      ...['#0600000000000000', 'cohere'],
      ...['#0b00000000000000', 'partitioned'],
      ...['#0a00000000000000', 'turboquant'],
      '#000000000000e8bf',
    ],
  },
}

t.test('the hashed bytes are those of the contract', async t => {
  for (const [kind, { changes, bytes }] of Object.entries(LAYOUTS) as [KindName, (typeof LAYOUTS)[KindName]][]) {
    const expected = bytes.map(text => (text.startsWith('#') ? Buffer.from(text.slice(1), 'hex') : Buffer.from(text)))
    t.strictSame(hashedBytes(line(kind, changes)).toString('latin1'), Buffer.concat(expected).toString('latin1'), kind)
  }
})

t.test('numbers are little-endian two’s complement and IEEE-754, at their ends too', async t => {
  const i32 = (query_idx: string): string => hashedBytes(line('query_measurement', { query_idx })).toString('hex')
  t.match(i32('2147483647'), 'ffffff7f')
  t.match(i32('-2147483648'), '00000080')
  const f64 = (threshold: string): string =>
    hashedBytes(line('vector_search_run', { threshold })).subarray(-8).toString('hex')
  t.equal(f64('1'), '000000000000f03f')
  t.equal(f64('1e308'), 'a0c8eb85f3cce17f')
  t.equal(f64('5e-324'), '0100000000000000')
  t.equal(f64('9007199254740993'), f64('9007199254740992.0'), 'rounded to even')
})

t.test('an id is the digest read as a signed number', async t => {
  const idWith = (digest: bigint): bigint => idOf(line('compression_size'), () => digest)
  t.equal(idWith(1n), 1n)
  t.equal(idWith(2n ** 63n - 1n), 9223372036854775807n)
  t.equal(idWith(2n ** 63n), -9223372036854775808n)
  t.equal(idWith(2n ** 64n - 1n), -1n)
})

t.test('-0, -0.0 and -0e5 are one measurement, and not that of 0', async t => {
  const id = (threshold: string): bigint => idOf(line('vector_search_run', { threshold }))
  for (const token of ['-0.0', '-0e5', '-0.00e-7', '-1e-400']) t.equal(id(token), id('-0'), token)
  for (const token of ['0', '0.0', '0e5', '1e-400']) t.not(id(token), id('-0'), token)
})

t.test('absent and null are one measurement, the empty string is another', async t => {
  for (const name of ['dataset_variant', 'scale_factor']) {
    const id = (token: string | undefined): bigint => idOf(line('query_measurement', { [name]: token }))
    t.equal(id(undefined), id('null'), name)
    t.not(id('""'), id('null'), name)
  }
})

t.test('neither the order of keys nor a value changes an id; every dimension does', async t => {
  const turned = Object.fromEntries(
    Object.entries({ kind: '"query_measurement"', ...VALID.query_measurement }).reverse(),
  )
  const id = (changes: Tokens): bigint => idOf(line('query_measurement', changes))
  const plain = id({})
  t.equal(idOf(lineOf(turned)), plain)
  t.equal(id({ value_ns: '9', all_runtimes_ns: '[]', peak_physical: '0', env_triple: 'null' }), plain)
  const dimensions = ['commit_sha', 'dataset', 'dataset_variant', 'scale_factor', 'engine', 'format']
  for (const name of dimensions) t.not(id({ [name]: '"else"' }), plain, name)
  t.not(id({ query_idx: '8' }), plain)
  t.not(id({ storage: '"s3"' }), plain)
})

t.test('text is hashed as it is: no Unicode normalisation', async t => {
  const id = (dataset: string): bigint => idOf(line('compression_size', { dataset: JSON.stringify(dataset) }))
  t.not(id('é'), id('e\u0301'))
  t.equal(id('🙂'), idOf(line('compression_size', { dataset: '"\\ud83d\\ude42"' })))
})

t.test('a threshold that is not finite is refused, never hashed', async t => {
  const kind = CONTRACT.kinds.find(({ table }) => table === 'vector_search_runs')!
  const fields = { commit_sha: 'a', dataset: 'a', layout: 'a', flavor: 'a' }
  for (const threshold of [NaN, Infinity, -Infinity]) {
    const error = caught(() => measurementId(kind, { ...fields, threshold }, hash))
    t.equal(error?.code, 'not_finite')
    t.equal(error?.message, `a threshold must be a finite number, got ${threshold}`)
  }
})

t.test('a dimension longer than any buffer is hashed whole', async t => {
  const js = await jsHash64()
  for (const length of [63, 64, 65, 4095, 4096, 4097, 100_000]) {
    const text = line('random_access_time', { dataset: `"${'é'.repeat(length)}"`, format: `"${'x'.repeat(length)}"` })
    const bytes = hashedBytes(text).toString()
    t.ok(bytes.startsWith('random_access_times\0'), `${length} characters: its start`)
    t.ok(bytes.includes('é'.repeat(length)) && bytes.endsWith('x'.repeat(length)), `${length} characters: the rest`)
    t.equal(idOf(text), idOf(text, js), `${length} characters: by both implementations`)
  }
})

function hashedBytes(text: string): Buffer {
  let bytes = Buffer.alloc(0)
  idOf(text, given => {
    bytes = Buffer.from(given)
    return 0n
  })
  return bytes
}

function idOf(text: string, by: Hash64 = hash): bigint {
  const result = readRecord(Buffer.from(text))
  if (!result.ok) throw new Error(`a test wrote a bad line: ${result.problem.message}`)
  const fields: ExactObject = result.record.fields
  return measurementId(result.record.kind, fields, by)
}

function caught(act: () => unknown): IngestError | undefined {
  try {
    act()
  } catch (error) {
    if (error instanceof IngestError) return error
  }
  return undefined
}
