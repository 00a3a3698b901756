/** Writes a stored row as the line of a record. */

import type { Field, Kind } from '../../contract/kinds.js'
import type { StoredRow } from '../../database/queries/rows.js'

/** A number as JSON and databases write it. Any other text is written as a string, so that validation rejects it. */
const NUMBER = /^-?\d[\d.eE+-]*$/
const INTEGERS = /^\{(?:-?\d+(?:,-?\d+)*)?\}$/

/**
 * Returns a function that writes rows of a kind, with the digits that they have. A required field that is null is written as null,
 * so that validation rejects it. A null field of a later contract version is left out.
 */
export function lineWriter(kind: Kind): (row: StoredRow) => string {
  const fields = kind.fields.map(field => ({
    ...field,
    key: `,${JSON.stringify(field.name)}:`,
    isOmitted: field.optional || field.since > 1,
  }))
  const start = `{"kind":${JSON.stringify(kind.kind)}`
  return row => {
    let line = start
    for (const field of fields) {
      const value = row[field.name] ?? null
      if (value === null && field.isOmitted) continue
      line += field.key + (value === null ? 'null' : jsonOf(field, value))
    }
    return `${line}}\n`
  }
}

function jsonOf({ type }: Field, value: string): string {
  if (type === '[i64]')
    return INTEGERS.test(value) ? `[${value.slice(1, -1)}]` : `[${value.slice(1, -1).split(',').map(toJson).join(',')}]`
  return type === 'str' ? JSON.stringify(value) : toJson(value)
}

function toJson(number: string): string {
  if (number === 'NULL') return 'null'
  return NUMBER.test(number) ? number : JSON.stringify(number)
}
