/** The tables that are exported, and the values of their rows. */

import { COMMIT_FIELDS } from '../contract/commit.js'
import type { FieldType, Kind } from '../contract/kinds.js'
import type { TextRow } from '../database/queries/rows.js'
import { IngestError } from '../errors.js'

export type TableColumn = {
  readonly name: string
  readonly type: FieldType | 'timestamp'
  readonly optional: boolean
}

export type Table = { readonly name: string; readonly columns: readonly TableColumn[] }

/** The table of a kind: its measurement id, then its fields in the order of the contract. */
export function tableOf({ table, fields }: Kind): Table {
  // Rows of earlier contract versions lack the fields that a later one added.
  const columns = fields.map(({ name, type, optional, since }) => ({ name, type, optional: optional || since > 1 }))
  return { name: table, columns: [{ name: 'measurement_id', type: 'i64', optional: false }, ...columns] }
}

export const COMMITS_TABLE: Table = {
  name: 'commits',
  columns: COMMIT_FIELDS.map(field => ({
    name: field === 'sha' ? 'commit_sha' : field,
    type: field === 'timestamp' ? 'timestamp' : 'str',
    optional: !['sha', 'timestamp', 'tree_sha', 'url'].includes(field),
  })),
}

/** A value of a column. A timestamp is its text. */
export type CellValue = string | number | bigint | readonly bigint[] | null

/** @throws {IngestError} `bad_data` for a value that the type does not have */
export function cellValue({ name, type }: TableColumn, row: TextRow): CellValue {
  const text = row[name] ?? null
  if (text === null) return null
  switch (type) {
    case 'str':
    case 'timestamp':
      return text
    case 'i32':
    case 'f64':
      return Number(text)
    case 'i64':
      return BigInt(text)
    case '[i64]':
      return integerTexts(text, name, row).map(BigInt)
  }
}

/**
 * The elements of a Postgres array such as `{1,2}`.
 * @throws {IngestError} `bad_data` for NULL, which no record can have as an element
 */
export function integerTexts(array: string, column: string, row: TextRow): readonly string[] {
  const items = array === '{}' ? [] : array.slice(1, -1).split(',')
  if (items.every(item => /^-?\d+$/.test(item))) return items
  const message = `the measurement ${row['measurement_id'] ?? ''} has ${array.slice(0, 100)} in ${column}, which is no list of integers`
  throw new IngestError('bad_data', message, { hint: 'repair the row in the database' })
}
