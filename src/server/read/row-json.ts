/** Formats stored rows as JSON, digit for digit. Numbers are never converted to doubles, which could change their digits. */

import type { FieldType, Kind } from '../../contract/kinds.js'
import type { TextRow } from '../../database/queries/rows.js'

/** The row's kind, its id as a string (a double cannot hold every id), then every column in the order of the contract. */
export function measurementJson({ kind, table, fields }: Kind, row: TextRow): string {
  const head = `{"kind":${JSON.stringify(kind)},"measurement_id":${JSON.stringify(row['measurement_id'])}`
  const columns = fields.map(({ name, type }) => `,${JSON.stringify(name)}:${valueJson(type, row[name])}`)
  const timed = table === 'query_measurements' ? `,"commit_timestamp":${valueJson('str', row['commit_timestamp'])}` : ''
  return `${head}${columns.join('')}${timed}}`
}

/** @param text the value as Postgres writes it */
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
      // The contract allows no NaN or infinity, but a database column can hold them. JSON cannot, so they become strings.
      return /^-?\d/.test(text) ? text : JSON.stringify(text)
  }
}
