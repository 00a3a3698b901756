/**
 * The contract versions as data. Each entry of `VERSIONS` is the previous version plus the fields it adds. Columns,
 * hash order, DDL
 * checks, validators and JSON Schemas are derived from these entries.
 * Versions only ever add fields, so the newest version has the fields of all versions.
 */

import { addFields, type Contract, type Field, type FieldType, type Kind } from './contract.js'

/** The newest contract version, and the default of `serve`. */
export const SCHEMA_VERSION = 3

type Text = Pick<Field, 'description' | 'unit'>

function field(name: string, type: FieldType, text: Text): Field {
  return { name, type, ...text, optional: false, dimension: false, since: 1 }
}

const dimension = (name: string, description: string, type: FieldType = 'str'): Field => ({
  ...field(name, type, { description }),
  dimension: true,
})
const optional = (given: Field): Field => ({ ...given, optional: true })

const commitSha = dimension('commit_sha', 'Commit that was measured: 40 lowercase hex digits.')
const dataset = dimension('dataset', 'Name of the dataset.')
const datasetVariant = optional(dimension('dataset_variant', 'Variant of the dataset, where it has several.'))
const format = dimension('format', 'File format that was measured, such as `parquet`.')
const runtimes = [
  field('value_ns', 'i64', { description: 'Duration that charts show, as a rule the median of the runs.', unit: 'ns' }),
  field('all_runtimes_ns', '[i64]', { description: 'Duration of every run, in the order of the runs.', unit: 'ns' }),
]
const memory = [
  field('peak_physical', 'i64', { description: 'Highest physical memory during the query.', unit: 'bytes' }),
  field('peak_virtual', 'i64', { description: 'Highest virtual memory during the query.', unit: 'bytes' }),
  field('physical_delta', 'i64', { description: 'Physical memory after the query minus before it.', unit: 'bytes' }),
  field('virtual_delta', 'i64', { description: 'Virtual memory after the query minus before it.', unit: 'bytes' }),
].map(optional)
const envTriple = optional(field('env_triple', 'str', { description: 'Target triple of the machine that measured.' }))

type KindFacts = Pick<Kind, 'kind' | 'table' | 'description'> & Partial<Pick<Kind, 'hasCommitTimestamp'>>

const kind = (facts: KindFacts, fields: readonly Field[]): Kind => ({
  hasCommitTimestamp: false,
  ...facts,
  fields,
  oneOf: {},
  together: [],
})

const query = {
  kind: 'query_measurement',
  table: 'query_measurements',
  description: 'Durations of one query, and the memory it took.',
  hasCommitTimestamp: true,
}
const compressionTime = {
  kind: 'compression_time',
  table: 'compression_times',
  description: 'Durations of compressing or decompressing a dataset.',
}
const compressionSize = {
  kind: 'compression_size',
  table: 'compression_sizes',
  description: 'Size of a dataset after compression.',
}
const randomAccess = {
  kind: 'random_access_time',
  table: 'random_access_times',
  description: 'Durations of reading single rows of a dataset.',
}
const vectorSearch = {
  kind: 'vector_search_run',
  table: 'vector_search_runs',
  description: 'Durations of a similarity search over vectors, and how much it read.',
}

/**
 * Contract version 1.
 * @see contract section 1
 */
const VERSION_1: Contract = {
  version: 1,
  kinds: [
    {
      ...kind(query, [
        commitSha,
        dataset,
        datasetVariant,
        optional(dimension('scale_factor', 'Scale factor of the dataset, as text.')),
        dimension('query_idx', 'Number of the query in its suite.', 'i32'),
        dimension('storage', 'Storage the data was read from: `nvme` or `s3`.'),
        dimension('engine', 'Query engine, such as `datafusion`.'),
        format,
        ...runtimes,
        ...memory,
        envTriple,
      ]),
      oneOf: { storage: ['nvme', 's3'] },
      together: memory.map(({ name }) => name),
    },
    kind(compressionTime, [
      commitSha,
      dataset,
      datasetVariant,
      format,
      dimension('op', 'Operation that was timed, such as `encode` or `decode`.'),
      ...runtimes,
      envTriple,
    ]),
    kind(compressionSize, [
      commitSha,
      dataset,
      datasetVariant,
      format,
      field('value_bytes', 'i64', { description: 'Size of the compressed data.', unit: 'bytes' }),
    ]),
    kind(randomAccess, [commitSha, dataset, format, ...runtimes, envTriple]),
    kind(vectorSearch, [
      commitSha,
      dataset,
      dimension('layout', 'Layout of the vectors on disk.'),
      dimension('flavor', 'Variant of the search.'),
      dimension(
        'threshold',
        'Similarity threshold of the search. Its double is hashed, so -0.0 and 0.0 differ.',
        'f64',
      ),
      ...runtimes,
      field('matches', 'i64', { description: 'Rows that the search found.', unit: 'rows' }),
      field('rows_scanned', 'i64', { description: 'Rows that the search read.', unit: 'rows' }),
      field('bytes_scanned', 'i64', { description: 'Bytes that the search read.', unit: 'bytes' }),
      field('iterations', 'i32', { description: 'Number of runs.', unit: 'runs' }),
      envTriple,
    ]),
  ],
}

/** @see contract section 8 */
const VERSION_2 = addFields(VERSION_1, [
  {
    kind: 'compression_size',
    after: 'value_bytes',
    field: field('uncompressed_bytes', 'i64', { description: 'Size of the data before compression.', unit: 'bytes' }),
  },
])

/** @see contract section 8 */
const VERSION_3 = addFields(VERSION_2, [
  {
    kind: 'random_access_time',
    after: 'format',
    field: {
      ...dimension(
        'open_mode',
        'Whether the file stayed open between accesses (`cached`) or was opened each time (`reopen`).',
      ),
      conditional: 'cached',
    },
    oneOf: ['cached', 'reopen'],
  },
])

/** Every supported contract version, oldest first. */
export const VERSIONS: readonly Contract[] = [VERSION_1, VERSION_2, VERSION_3]
