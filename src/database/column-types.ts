/** Refuses a database whose columns cannot hold every value of the contract, before anything is written. */

import { COMMIT_FIELDS } from '../contract/commit.js'
import type { FieldType, Kind } from '../contract/kinds.js'

type ColumnType = FieldType | 'timestamp'

/**
 * The Postgres types that can store every value of a field type, as name and OID. OIDs of built-in types never change. The first
 * entry is the type in the contract.
 */
const SUFFICIENT_TYPES: Readonly<Record<ColumnType, readonly (readonly [name: string, oid: number])[]>> = {
  str: [
    ['text', 25],
    ['character varying', 1043],
  ],
  i32: [
    ['integer', 23],
    ['bigint', 20],
    ['numeric', 1700],
  ],
  i64: [
    ['bigint', 20],
    ['numeric', 1700],
  ],
  f64: [['double precision', 701]],
  '[i64]': [['bigint[]', 1016]],
  timestamp: [['timestamp with time zone', 1184]],
}

/** The Postgres type of a field's column. @see contract section 5 */
export function columnType(type: ColumnType): string {
  return SUFFICIENT_TYPES[type][0]![0]
}

type Table = { readonly name: string; readonly columns: readonly (readonly [name: string, type: ColumnType])[] }

const COMMITS: Table = {
  name: 'commits',
  columns: COMMIT_FIELDS.map(field =>
    field === 'sha' ? ['commit_sha', 'str'] : [field, field === 'timestamp' ? 'timestamp' : 'str'],
  ),
}

function factTable({ table, fields, hasCommitTimestamp }: Kind): Table {
  const columns = fields.map(({ name, type }) => [name, type] as const)
  const time = hasCommitTimestamp ? [['commit_timestamp', 'timestamp'] as const] : []
  return { name: table, columns: [['measurement_id', 'i64'], ...columns, ...time] }
}

/**
 * A statement that fails with SQLSTATE 42804 when a column of `commits` or of a kind's table has a type that cannot hold every
 * value, for example because it rounds numbers or limits the length of text. It takes about 0.4 ms for one kind.
 */
export function columnTypeProbe(kinds: readonly Kind[]): string {
  const wrong = [COMMITS, ...kinds.map(factTable)].map(wrongColumns).join(' UNION ALL ')
  return `DO $$
    DECLARE message text;
    BEGIN
      SELECT format('the column %s must be %s, it is %s', name, expected, actual) INTO message FROM (${wrong}) AS wrong LIMIT 1;
      IF message IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = '42804', MESSAGE = message,
        HINT = 'change the type of the column with ALTER TABLE; \`vortex-ingest migrate --check\` lists all that differ';
      END IF;
    END $$`
}

/** A query for the columns of one table that cannot hold every value. A type with a limit of length or precision counts as unable. */
function wrongColumns({ name: table, columns }: Table): string {
  const types = [...new Set(columns.map(([, type]) => type))]
  const named = (type: ColumnType): string =>
    columns.flatMap(([name, own]) => (own === type ? [`'${name}'`] : [])).join(', ')
  const checks = types.map(type => {
    const oids = SUFFICIENT_TYPES[type].map(([, oid]) => oid).join(', ')
    return `WHEN attname IN (${named(type)}) THEN atttypmod <> -1 OR atttypid NOT IN (${oids})`
  })
  const expected = types.map(type => `WHEN attname IN (${named(type)}) THEN '${columnType(type)}'`)
  return `
      SELECT '${table}.' || attname AS name, CASE ${expected.join(' ')} END AS expected,
        format_type(atttypid, atttypmod) AS actual
      FROM pg_attribute WHERE attrelid = 'public.${table}'::regclass AND CASE ${checks.join(' ')} ELSE false END`
}
