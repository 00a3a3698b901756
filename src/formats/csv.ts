/** Encodes tables as CSV (RFC 4180), with a header, and arrays as JSON. */

import { stringify } from 'csv-stringify/sync'
import type { TextRow } from '../database/queries/rows.js'
import { integerTexts, type Table, type TableColumn } from './table.js'
import type { TableEncoder } from './table-encoder.js'

const ROWS_AT_ONCE = 1_000
const NONE = new Uint8Array()

/** Null is an empty field, and an empty text a pair of quotes. */
export function csvEncoder({ columns }: Table): TableEncoder {
  let rows: (readonly (string | null)[])[] = [columns.map(({ name }) => name)]
  const take = (): Uint8Array => {
    const text = stringify(rows, { record_delimiter: '\r\n', quoted_match: /^$|[\r\n]/ })
    rows = []
    return Buffer.from(text)
  }
  return {
    add(row) {
      rows.push(columns.map(column => csvText(column, row)))
      return rows.length < ROWS_AT_ONCE ? NONE : take()
    },
    end: () => (rows.length === 0 ? NONE : take()),
  }
}

function csvText({ name, type }: TableColumn, row: TextRow): string | null {
  const text = row[name] ?? null
  return text === null || type !== '[i64]' ? text : `[${integerTexts(text, name, row).join(',')}]`
}
