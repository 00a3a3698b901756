/** Refuses a database whose columns cannot hold every value of the contract, before anything is written. */

import { COMMIT_FIELDS } from '../contract/commit.js'
import { CONTRACT, type FieldType, type Kind } from '../contract/kinds.js'
import { IngestError } from '../errors.js'

type ColumnType = FieldType | 'timestamp'

/** The Postgres types that can store every value of a field type. The first one is the type in the contract. */
const SUFFICIENT_TYPES: Readonly<Record<ColumnType, readonly string[]>> = {
  str: ['text', 'character varying'],
  i32: ['integer', 'bigint', 'numeric'],
  i64: ['bigint', 'numeric'],
  f64: ['double precision'],
  '[i64]': ['bigint[]'],
  timestamp: ['timestamp with time zone'],
}

/** The Postgres type of a field's column. @see contract section 5 */
export function columnType(type: ColumnType): string {
  return SUFFICIENT_TYPES[type][0]!
}

/** The type of each column of the contract, by `table.column`. */
const COLUMN_TYPES: ReadonlyMap<string, ColumnType> = new Map([
  ...COMMIT_FIELDS.map(field =>
    field === 'sha'
      ? (['commits.commit_sha', 'str'] as const)
      : ([`commits.${field}`, field === 'timestamp' ? 'timestamp' : 'str'] as const),
  ),
  ...CONTRACT.kinds.flatMap(({ table, fields }) => [
    [`${table}.measurement_id`, 'i64'] as const,
    [`${table}.commit_timestamp`, 'timestamp'] as const,
    ...fields.map(({ name, type }) => [`${table}.${name}`, type] as const),
  ]),
])

/**
 * An SQL expression: the columns of `commits` and of the kinds' tables, each as its table, name and type: `commits.url text`. Fails
 * when a table is missing.
 */
export function columnList(kinds: readonly Kind[]): string {
  const tables = ['commits', ...kinds.map(({ table }) => table)].map(table => `'public.${table}'::regclass`)
  return `ARRAY(
    SELECT attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
    WHERE attrelid IN (${tables.join(', ')}) AND attnum > 0 AND NOT attisdropped
  )`
}

/**
 * Checks that the columns can hold every value: their types neither round numbers nor limit the length of text.
 * @param columns the answer to `columnList`
 * @throws {IngestError} `target_misconfigured`
 */
export function assertColumnTypes(columns: readonly string[]): void {
  for (const column of columns) {
    // The schema is part of the name unless it is in the search path.
    const [, name = '', found = ''] = /^(?:public\.)?(\S+) (.*)$/.exec(column) ?? []
    const type = COLUMN_TYPES.get(name)
    if (type === undefined || SUFFICIENT_TYPES[type].includes(found)) continue
    const hint = 'change the type of the column with ALTER TABLE; `vortex-ingest migrate --check` lists all that differ'
    const message = `the column ${name} must be ${columnType(type)}, it is ${found}`
    throw new IngestError('target_misconfigured', message, { hint })
  }
}
