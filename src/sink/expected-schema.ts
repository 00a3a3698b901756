/** The tables and indexes of the contract as data, to compare a database with. */

import { COMMIT_FIELDS } from '../contract/commit.js'
import { CONTRACT, type Kind } from '../contract/kinds.js'
import { SQL_TYPES } from './tables.js'

export type ExpectedColumn = { readonly name: string; readonly type: string; readonly nullable: boolean }

export type ExpectedTable = {
  readonly name: string
  readonly key: string
  readonly columns: readonly ExpectedColumn[]
  /** Beside the key: what follows `USING btree` in the definition. */
  readonly indexes: readonly string[]
}

const TIME = 'timestamp with time zone'
const COMMIT_REQUIRED: readonly string[] = ['sha', 'timestamp', 'tree_sha', 'url']

const COMMITS: ExpectedTable = {
  name: 'commits',
  key: 'commit_sha',
  columns: COMMIT_FIELDS.map(field => ({
    name: field === 'sha' ? 'commit_sha' : field,
    type: field === 'timestamp' ? TIME : 'text',
    nullable: !COMMIT_REQUIRED.includes(field),
  })),
  indexes: ['(timestamp DESC, commit_sha DESC)'],
}

const COMPRESSION = ['(dataset, dataset_variant)', '(format)']
const QUERY = 'dataset, dataset_variant, scale_factor, storage, query_idx'

const INDEXES: Readonly<Record<string, readonly string[]>> = {
  query_measurements: [
    `(${QUERY})`,
    `(${QUERY}, engine, format, commit_timestamp DESC) INCLUDE (value_ns)`,
    '(engine)',
    '(format)',
  ],
  compression_times: COMPRESSION,
  compression_sizes: COMPRESSION,
  random_access_times: ['(dataset)', '(format)'],
  vector_search_runs: ['(dataset, layout, threshold)'],
}

/**
 * Columns of contract versions 2 and 3. A database takes older records too, so what these records lack is null or has a
 * default.
 * @see contract section 8
 */
const LATER_COLUMNS: Readonly<Record<string, readonly ExpectedColumn[]>> = {
  compression_sizes: [{ name: 'uncompressed_bytes', type: SQL_TYPES.i64, nullable: true }],
  random_access_times: [{ name: 'open_mode', type: SQL_TYPES.str, nullable: false }],
}

/** @see contract section 5 */
export const EXPECTED_TABLES: readonly ExpectedTable[] = [COMMITS, ...CONTRACT.kinds.map(factTable)]

function factTable({ table, fields }: Kind): ExpectedTable {
  const later = LATER_COLUMNS[table] ?? []
  const isLater = (name: string): boolean => later.some(column => column.name === name)
  const columns = fields
    .filter(({ name }) => !isLater(name))
    .map(({ name, type, optional }) => ({ name, type: SQL_TYPES[type], nullable: optional }))
  const id = { name: 'measurement_id', type: SQL_TYPES.i64, nullable: false }
  const time = table === 'query_measurements' ? [{ name: 'commit_timestamp', type: TIME, nullable: true }] : []
  return { name: table, key: id.name, columns: [id, ...columns, ...later, ...time], indexes: INDEXES[table] ?? [] }
}
