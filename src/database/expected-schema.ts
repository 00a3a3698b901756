/** The tables and indexes that the contract requires, as data to compare a database with. */

import { COMMIT_FIELDS } from '../contract/commit.js'
import { CONTRACT, type Field, type Kind } from '../contract/kinds.js'
import { columnType } from './column-types.js'

export type ExpectedColumn = { readonly name: string; readonly type: string; readonly nullable: boolean }

export type ExpectedTable = {
  readonly name: string
  readonly key: string
  readonly columns: readonly ExpectedColumn[]
  /** Indexes besides the primary key: the part of their definition after `USING btree`. */
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

/** All tables of the contract. @see contract section 5 */
export const EXPECTED_TABLES: readonly ExpectedTable[] = [COMMITS, ...CONTRACT.kinds.map(factTable)]

function factTable({ table, fields, hasCommitTimestamp }: Kind): ExpectedTable {
  const columns = fields.map(field => ({ name: field.name, type: columnType(field.type), nullable: isNullable(field) }))
  const id = { name: 'measurement_id', type: columnType('i64'), nullable: false }
  const time = hasCommitTimestamp ? [{ name: 'commit_timestamp', type: TIME, nullable: true }] : []
  return { name: table, key: id.name, columns: [id, ...columns, ...time], indexes: INDEXES[table] ?? [] }
}

/**
 * A column that a later contract version added without a default is nullable, because older rows have no value for it.
 * @see contract section 8
 */
function isNullable({ optional, since, conditional }: Field): boolean {
  return optional || (since > 1 && conditional === undefined)
}
