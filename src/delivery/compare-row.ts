/** Compares one stored row with the record of one line. */

import type { Field, Kind } from '../contract/kinds.js'
import type { StoredRow } from '../database/queries/rows.js'

/** The row without the columns that its target's contract version does not have: a server may show them as null. */
export function rowOfVersion(version: number, { fields }: Kind, row: StoredRow): StoredRow {
  const later = new Set(fields.filter(({ since }) => since > version).map(({ name }) => name))
  if (later.size === 0) return row
  return Object.fromEntries(Object.entries(row).filter(([column]) => !later.has(column))) as StoredRow
}

/**
 * Compares the fields of a line with a stored row. Fields that are missing from the line or from the table are not
 * compared.
 * @param values the line's fields as text in column order; undefined for null
 * @returns a message about the first field that differs, or undefined when all compared fields are equal
 */
export function compareRow(
  { fields }: Kind,
  values: readonly (string | undefined)[],
  row: StoredRow,
): string | undefined {
  for (const [index, field] of fields.entries()) {
    const expected = values[index]
    const stored = row[field.name] ?? undefined
    if (isComparable(field, expected, row) && !same(field, expected, stored))
      return `/${field.name} is ${shown(stored)} in the database and ${shown(expected)} in the file`
  }
  return undefined
}

/** A field of a later contract version is compared only when both the line and the table have it. */
function isComparable(field: Field, expected: string | undefined, row: StoredRow): boolean {
  return field.since === 1 || (expected !== undefined && field.name in row)
}

export type Side = 'target' | 'file'

/**
 * The side that lacks a field, so that the field could not be compared. Undefined when the field was compared, and when the other
 * side has the default: a record without the field means the default, so the two sides agree.
 */
export function sideWithout(field: Field, expected: string | undefined, row: StoredRow): Side | undefined {
  if (isComparable(field, expected, row)) return undefined
  if (expected !== undefined) return expected === field.conditional ? undefined : 'target'
  const stored = row[field.name] ?? field.conditional
  return stored === field.conditional ? undefined : 'file'
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
