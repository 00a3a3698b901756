/** One stored row against the values of one line. */

import type { Field, Kind } from '../contract/kinds.js'

/** Every column as text, so that no digit is lost on the way. */
export type StoredRow = { readonly measurement_id: string; readonly [column: string]: string | null }

/**
 * @param values the line's fields as text in column order, undefined for null
 * @returns the first column that differs, in words
 */
export function compareRow(
  { fields }: Kind,
  values: readonly (string | undefined)[],
  row: StoredRow,
): string | undefined {
  for (const [index, field] of fields.entries()) {
    const expected = values[index]
    const stored = row[field.name] ?? undefined
    if (!same(field, expected, stored))
      return `/${field.name} is ${shown(stored)} in the database and ${shown(expected)} in the file`
  }
  return undefined
}

function same({ type }: Field, expected: string | undefined, stored: string | undefined): boolean {
  if (expected === undefined || stored === undefined) return expected === stored
  if (type === 'f64') return Object.is(Number(expected), Number(stored))
  if (type === '[i64]') return `{${expected.replace(/ /g, '')}}` === stored
  return expected === stored
}

function shown(value: string | undefined): string {
  if (value === undefined) return 'null'
  return JSON.stringify(value.length <= 60 ? value : `${value.slice(0, 60)}…`)
}
