/** Converts stored rows to the JSON lines that `push` reads, with the same digits and ids, and records to rows. */

import { realText } from '../contract/exact-value.js'
import type { Field, Kind } from '../contract/kinds.js'
import type { StoredRow } from '../database/queries/rows.js'
import { IngestError } from '../errors.js'
import { type RecordBatch } from '../source/record-batch.js'
import { integerTexts } from './table.js'

/**
 * The line of a stored row, without its line feed. Fields that are null are left out.
 * @throws {IngestError} `bad_data` for a value that no record can have
 */
export function recordLine({ kind, fields }: Kind, row: StoredRow): string {
  let line = `{"kind":"${kind}"`
  for (const field of fields) {
    const text = row[field.name] ?? null
    if (text !== null) line += `,"${field.name}":${valueJson(field, text, row)}`
  }
  return `${line}}`
}

function valueJson({ name, type }: Field, text: string, row: StoredRow): string {
  if (type === 'str') return JSON.stringify(text)
  if (type === '[i64]') return `[${integerTexts(text, name, row).join(',')}]`
  // A column of a database can hold NaN and infinities.
  if (/^-?\d/.test(text)) return text
  const message = `the measurement ${row.measurement_id} has ${text} in ${name}, which no record can have`
  throw new IngestError('bad_data', message, { hint: 'repair the row in the database' })
}

/** A record as the row that a database would return. The ids of the batch must have been computed. */
export function rowOfRecord(batch: RecordBatch, row: number): StoredRow {
  const cells: Record<string, string | null> = {}
  for (const [index, { name, type }] of batch.kindOf(row).fields.entries()) {
    const text = batch.text(row, index)
    if (text === undefined) cells[name] = null
    else if (type === 'f64') cells[name] = realText(batch.reals[row]!)
    else cells[name] = type === '[i64]' ? `{${text.replace(/\s/g, '')}}` : text
  }
  return { ...cells, measurement_id: String(batch.ids[row]) }
}
