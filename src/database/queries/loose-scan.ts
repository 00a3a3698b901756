/** Lists every series of a table from an index, by jumping from one distinct value to the next (a loose index scan). */

import type { Field } from '../../contract/kinds.js'

/**
 * SQL that selects the distinct combinations of values of some columns, each column as text under its own name. The
 * number of index
 * lookups grows with the number of series, not of rows. The table must have an index that starts with these columns in
 * this order.
 */
export function selectSeries(table: string, columns: readonly Field[]): string {
  return nullPatterns(columns)
    .map(absent => selectPattern(table, columns, absent))
    .join(' UNION ALL ')
}

/**
 * All combinations of optional columns that may be null. Each needs its own query, because an index search for NULL
 * uses `IS NULL`.
 */
function nullPatterns(columns: readonly Field[]): readonly ReadonlySet<string>[] {
  const optional = columns.filter(column => column.optional).map(({ name }) => name)
  return Array.from(
    { length: 2 ** optional.length },
    (_, pattern) => new Set(optional.filter((_, bit) => (pattern >> bit) % 2 === 1)),
  )
}

function selectPattern(table: string, columns: readonly Field[], absent: ReadonlySet<string>): string {
  const values = columns.map(({ name }) => (absent.has(name) ? 'NULL::text' : `of_${name}.value::text`) + ` AS ${name}`)
  const levels = columns
    .map(({ name }, index) => ({ name, before: columns.slice(0, index).map(({ name }) => name) }))
    .filter(({ name }) => !absent.has(name))
    .map(({ name, before }) => `LATERAL (${leap(table, name, before, absent)}) AS of_${name}`)
  return `(SELECT ${values.join(', ')} FROM ${levels.join(' CROSS JOIN ')})`
}

/** SQL for the distinct values of one column, given the values of the columns before it. */
function leap(table: string, name: string, before: readonly string[], absent: ReadonlySet<string>): string {
  const above = before.map(other => (absent.has(other) ? `${other} IS NULL` : `${other} = of_${other}.value`))
  // Columns fixed by `=` could be left out of ORDER BY; the planner needs those fixed by IS NULL to be listed.
  const next = (condition: string): string =>
    `SELECT ${name} AS value FROM public.${table} WHERE ${[...above, condition].join(' AND ')}
     ORDER BY ${[...before, name].join(', ')} LIMIT 1`
  return `
    WITH RECURSIVE leap AS (
      (${next(`${name} IS NOT NULL`)})
      UNION ALL
      SELECT (${next(`${name} > leap.value`)}) FROM leap WHERE leap.value IS NOT NULL
    )
    SELECT value FROM leap WHERE value IS NOT NULL`
}
