/** The column types that `copy` reads without loss, for each kind of database. docs/data.md shows the same table. */

import { COMMIT_FIELDS } from '../contract/commit.js'
import { CONTRACT, type FieldType } from '../contract/kinds.js'
import { IngestError } from '../errors.js'

export type ReadableDatabase = 'Postgres' | 'DuckDB' | 'MySQL and MariaDB'

type ReadableType = FieldType | 'timestamp'

/**
 * A type may hold more values than its field. Each value is checked, so a value that does not fit stops the copy. Types that round or
 * leave something open are missing: 32-bit floats, decimals for a double, and times without a time zone.
 */
export const READABLE_TYPES: Readonly<Record<ReadableDatabase, Readonly<Record<ReadableType, readonly string[]>>>> = {
  Postgres: {
    str: ['text', 'character varying'],
    i32: ['smallint', 'integer', 'bigint', 'numeric'],
    i64: ['smallint', 'integer', 'bigint', 'numeric'],
    f64: ['double precision'],
    '[i64]': ['smallint[]', 'integer[]', 'bigint[]', 'numeric[]'],
    timestamp: ['timestamp with time zone'],
  },
  DuckDB: {
    str: ['VARCHAR', 'ENUM'],
    i32: ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT'],
    i64: ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT'],
    f64: ['DOUBLE'],
    '[i64]': ['SMALLINT[]', 'INTEGER[]', 'BIGINT[]', 'HUGEINT[]', 'UINTEGER[]', 'UBIGINT[]'],
    timestamp: ['TIMESTAMP WITH TIME ZONE'],
  },
  'MySQL and MariaDB': {
    str: [
      'char',
      'varchar',
      'tinytext',
      'text',
      'mediumtext',
      'longtext',
      'enum',
      'varbinary',
      'blob',
      'mediumblob',
      'longblob',
    ],
    i32: ['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal'],
    i64: ['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal'],
    f64: ['double'],
    '[i64]': ['json', 'varchar', 'text', 'mediumtext', 'longtext'],
    timestamp: ['timestamp'],
  },
}

export type FoundColumn = {
  readonly table: string
  readonly column: string
  /** Without length and precision. */
  readonly type: string
}

type ExpectedColumn = {
  readonly table: string
  readonly column: string
  readonly type: ReadableType
  readonly since: number
}

const EXPECTED: readonly ExpectedColumn[] = [
  ...COMMIT_FIELDS.map(field => ({
    ...{ table: 'commits', column: field === 'sha' ? 'commit_sha' : field, since: 1 },
    type: field === 'timestamp' ? ('timestamp' as const) : ('str' as const),
  })),
  ...CONTRACT.kinds.flatMap(({ table, fields }) => [
    { table, column: 'measurement_id', type: 'i64' as const, since: 1 },
    ...fields.map(({ name, type, since }) => ({ table, column: name, type, since })),
  ]),
]

/**
 * Checks the columns of a database before anything is copied. Columns of later contract versions may be missing.
 * @returns the contract's columns of each table, by table name
 * @throws {IngestError} `bad_data` for a missing column, and for a type that would lose something
 */
export function assertReadableColumns(
  database: ReadableDatabase,
  found: readonly FoundColumn[],
): ReadonlyMap<string, readonly FoundColumn[]> {
  const columns = EXPECTED.flatMap(({ table, column, type, since }) => {
    const one = found.find(other => other.table === table && other.column === column)
    if (one === undefined && since > 1) return []
    const readable = READABLE_TYPES[database][type]
    if (one === undefined) throw unreadable(`${table} has no column ${column}`, `add it with the type ${readable[0]}`)
    if (readable.includes(one.type)) return [one]
    const hint = `convert it at the source to ${readable.at(-1)}; docs/data.md lists the types that are copied`
    throw unreadable(`${table}, column ${column}: the type ${one.type} cannot be copied without loss`, hint)
  })
  const tables = new Map<string, FoundColumn[]>()
  for (const column of columns) tables.set(column.table, [...(tables.get(column.table) ?? []), column])
  return tables
}

function unreadable(problem: string, hint: string): IngestError {
  return new IngestError('bad_data', problem, { hint })
}
