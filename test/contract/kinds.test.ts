import t from 'tap'
import { CONTRACT, CONTRACTS, SCHEMA_VERSION, dimensionsOf, type Field } from '../../src/contract/kinds.js'

/** The table of contract section 1, written out by hand; `!` marks a dimension. */
const SECTION_1 = {
  'query_measurement query_measurements':
    '!commit_sha str, !dataset str, !dataset_variant str?, !scale_factor str?, !query_idx i32, !storage str, ' +
    '!engine str, !format str, value_ns i64, all_runtimes_ns [i64], peak_physical i64?, peak_virtual i64?, ' +
    'physical_delta i64?, virtual_delta i64?, env_triple str?',
  'compression_time compression_times':
    '!commit_sha str, !dataset str, !dataset_variant str?, !format str, !op str, value_ns i64, ' +
    'all_runtimes_ns [i64], env_triple str?',
  'compression_size compression_sizes':
    '!commit_sha str, !dataset str, !dataset_variant str?, !format str, value_bytes i64',
  'random_access_time random_access_times':
    '!commit_sha str, !dataset str, !format str, value_ns i64, all_runtimes_ns [i64], env_triple str?',
  'vector_search_run vector_search_runs':
    '!commit_sha str, !dataset str, !layout str, !flavor str, !threshold f64, value_ns i64, all_runtimes_ns [i64], ' +
    'matches i64, rows_scanned i64, bytes_scanned i64, iterations i32, env_triple str?',
}

t.test('the table is that of the contract: kinds, tables, fields, types, dimensions, all in order', async t => {
  const table = CONTRACT.kinds.map(({ kind, table, fields }) => [`${kind} ${table}`, fields.map(written).join(', ')])
  t.strictSame(table, Object.entries(SECTION_1))
})

t.test('only a query has rules beyond types: where it was stored, and memory figures all or none', async t => {
  const [query, ...others] = CONTRACT.kinds
  t.strictSame(query?.oneOf, { storage: ['nvme', 's3'] })
  t.strictSame(query?.together, ['peak_physical', 'peak_virtual', 'physical_delta', 'virtual_delta'])
  for (const { kind, oneOf, together } of others) t.strictSame({ oneOf, together }, { oneOf: {}, together: [] }, kind)
})

t.test('every kind starts with its commit, which the readers rely on', async t => {
  for (const { kind, fields } of CONTRACT.kinds) t.equal(fields[0]?.name, 'commit_sha', kind)
})

t.test('the dimensions are the fields that are hashed, in the order of the table', async t => {
  const search = CONTRACT.kinds.find(({ kind }) => kind === 'vector_search_run')!
  t.strictSame(
    dimensionsOf(search).map(({ name }) => name),
    ['commit_sha', 'dataset', 'layout', 'flavor', 'threshold'],
  )
})

t.test('the program writes version 1, and knows it by its number', async t => {
  t.equal(SCHEMA_VERSION, 1)
  t.equal(CONTRACTS.get(SCHEMA_VERSION), CONTRACT)
  t.equal(CONTRACT.version, SCHEMA_VERSION)
})

function written({ name, type, optional, dimension }: Field): string {
  return `${dimension ? '!' : ''}${name} ${type}${optional ? '?' : ''}`
}
