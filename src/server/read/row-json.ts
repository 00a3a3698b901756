/** Stored rows as JSON, digit for digit: what a double cannot hold never becomes one. */

import type { FieldType, Kind } from '../../contract/kinds.js'

/** Every column as text, undefined or null where it is null. */
export type TextRow = Readonly<Record<string, string | null>>

/** The columns of a fact table, each as text under its own name. */
export function selectColumns({ table, fields }: Kind): string {
  const columns = ['measurement_id', ...fields.map(({ name }) => name)].map(name => `${name}::text AS ${name}`)
  return [...columns, ...(table === 'query_measurements' ? [utc('commit_timestamp')] : [])].join(', ')
}

/** A timestamptz in RFC 3339, whatever the session's time zone and date style. */
export function utc(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ${column}`
}

/** The kind, the id as a string (no double holds it), then every column in the order of the contract. */
export function measurementJson({ kind, table, fields }: Kind, row: TextRow): string {
  const head = `{"kind":${JSON.stringify(kind)},"measurement_id":${JSON.stringify(row['measurement_id'])}`
  const columns = fields.map(({ name, type }) => `,${JSON.stringify(name)}:${valueJson(type, row[name])}`)
  const timed = table === 'query_measurements' ? `,"commit_timestamp":${valueJson('str', row['commit_timestamp'])}` : ''
  return `${head}${columns.join('')}${timed}}`
}

/** @param text as Postgres writes a value of that type */
function valueJson(type: FieldType, text: string | null | undefined): string {
  if (text === null || text === undefined) return 'null'
  switch (type) {
    case 'str':
      return JSON.stringify(text)
    case '[i64]':
      return `[${text.slice(1, -1).replaceAll('NULL', 'null')}]`
    case 'i32':
    case 'i64':
      return text
    case 'f64':
      // NaN and infinities are in no contract, but a database can hold them and JSON cannot.
      return /^-?\d/.test(text) ? text : JSON.stringify(text)
  }
}
