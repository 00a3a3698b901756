import t from 'tap'
import { addFields } from '../../src/contract/contract.js'
import { CONTRACT, CONTRACTS, SCHEMA_VERSION, contractOf, dimensionsOf, type Field } from '../../src/contract/kinds.js'

const MEMORY = ['peak_physical', 'peak_virtual', 'physical_delta', 'virtual_delta']

/** The table of contract section 1, written by hand. `!` marks a dimension. */
const VERSION_1 = {
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

/** The kinds that contract section 8 changes, written by hand in full. `!?cached` marks a dimension with a default. */
const VERSION_2 = {
  ...VERSION_1,
  'compression_size compression_sizes':
    '!commit_sha str, !dataset str, !dataset_variant str?, !format str, value_bytes i64, uncompressed_bytes i64',
}
const VERSION_3 = {
  ...VERSION_2,
  'random_access_time random_access_times':
    '!commit_sha str, !dataset str, !format str, !?cached open_mode str, value_ns i64, all_runtimes_ns [i64], ' +
    'env_triple str?',
}

for (const [version, expected] of [VERSION_1, VERSION_2, VERSION_3].entries())
  t.test(
    `version ${version + 1} has the kinds, tables, fields, types and dimensions of the contract, in order`,
    async t => {
      const { kinds } = contractOf(version + 1)
      const table = kinds.map(({ kind, table, fields }) => [`${kind} ${table}`, fields.map(written).join(', ')])
      t.strictSame(table, Object.entries(expected))
    },
  )

t.test('rules beyond types: storage, the open mode since version 3, memory figures all or none', async t => {
  const query = { oneOf: { storage: ['nvme', 's3'] }, together: MEMORY }
  const none = { oneOf: {}, together: [] }
  const access = { oneOf: { open_mode: ['cached', 'reopen'] }, together: [] }
  for (const [version, randomAccess] of [
    [1, none],
    [2, none],
    [3, access],
  ] as const)
    t.strictSame(
      contractOf(version).kinds.map(({ oneOf, together }) => ({ oneOf, together })),
      [query, none, none, randomAccess, none],
      `version ${version}`,
    )
})

t.test('every field says what it means, and the versions agree about it', async t => {
  for (const { kind, fields } of CONTRACT.kinds)
    for (const { name, description, type, unit, since } of fields) {
      t.match(description, /^[A-Z].*\.$/, `${kind}.${name} is described by a sentence`)
      t.equal(
        unit !== undefined,
        /ns$|bytes$|^peak_|_delta$|^matches$|_scanned$|iterations/.test(name),
        `${name}: ${unit}`,
      )
      t.ok(unit === undefined || type !== 'str', `${name} has no unit, because it is text`)
      for (const contract of CONTRACTS.values()) {
        const same = contract.kinds.find(other => other.kind === kind)?.fields.find(field => field.name === name)
        t.equal(same?.description, contract.version < since ? undefined : description, `v${contract.version} ${name}`)
      }
    }
})

t.test('a version cannot add a field behind one that does not exist', async t => {
  const field = CONTRACT.kinds[0]!.fields[0]!
  const addition = { kind: 'compression_size', after: 'nothing', field }
  t.throws(() => addFields(CONTRACT, [addition]), { message: 'compression_size has no field nothing' })
})

t.test('a version that is not spoken is no contract', async t => {
  for (const version of [0, 4, 1.5, NaN])
    t.throws(() => contractOf(version), { message: `no contract version ${version}` })
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

t.test('the program speaks versions 1 to 3, and the newest one is that of the records it writes', async t => {
  t.strictSame([...CONTRACTS.keys()], [1, 2, 3])
  t.equal(SCHEMA_VERSION, 3)
  t.equal(CONTRACTS.get(SCHEMA_VERSION), CONTRACT)
  t.equal(CONTRACT.version, SCHEMA_VERSION)
})

function written({ name, type, optional, dimension, conditional }: Field): string {
  const unless = conditional === undefined ? '' : `?${conditional} `
  return `${dimension ? '!' : ''}${unless}${name} ${type}${optional ? '?' : ''}`
}
