/** Every series of a table out of its index, by leaping from each value to the next in place of reading the rows between. */

import type { Field } from '../../contract/kinds.js'

/**
 * Selects the distinct values of some columns, each as text under its own name. It takes about as many steps down the
 * index as there are series, however many rows each has; that index must have these columns first, in this order.
 */
export function selectSeries(table: string, columns: readonly Field[]): string {
  return nullPatterns(columns)
    .map(absent => selectPattern(table, columns, absent))
    .join(' UNION ALL ')
}

/** Which of the columns are null: a search in an index must know. */
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

/** The distinct values of one column where the columns before it have the values of the levels above. */
function leap(table: string, name: string, before: readonly string[], absent: ReadonlySet<string>): string {
  const above = before.map(other => (absent.has(other) ? `${other} IS NULL` : `${other} = of_${other}.value`))
  // The planner drops what is fixed by `=` from the order, but not what is fixed by IS NULL.
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
