/** Chooses how to find the rows of a commit, because the contract's tables have no index on the commit. */

import type { Field, Kind } from '../../contract/kinds.js'
import { seriesDimensions } from '../../analysis/series.js'
import type { SqlSession } from '../session.js'

/**
 * How the rows of a commit are found in a table.
 * `commit`: through an index on the commit, which an operator has added.
 * `series`: all series are listed from an index on them; the measurement id of each row follows from its series and the commit.
 * `scan`: the whole table is read.
 */
type AccessBy = 'commit' | 'series' | 'scan'

export type Access = {
  readonly kind: Kind
  readonly by: AccessBy
  readonly tableBytes: number
  /** The dimensions of a series, in the order of the index that starts with them; empty when there is no such index. */
  readonly indexed: readonly Field[]
  /** Whether the time of the commit follows these dimensions in the index. Default: false. */
  readonly isTimed?: boolean | undefined
}

/** The key columns, in index order, of every valid B-tree index that is not partial. A key that is an expression appears as `?`. */
const INDEXES = `
  SELECT c.relname::text AS table, (
      SELECT string_agg(coalesce(a.attname::text, '?'), ',' ORDER BY key.place)
      FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS key (number, place)
      LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = key.number AND key.number > 0
      WHERE key.place <= i.indnkeyatts
    ) AS columns
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class own ON own.oid = i.indexrelid
  WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY($1::text[])
    AND i.indisvalid AND i.indpred IS NULL AND own.relam = (SELECT oid FROM pg_am WHERE amname = 'btree')`

const SIZES = `
  SELECT relname::text AS table, pg_relation_size(oid)::text AS bytes
  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY($1::text[])`

/**
 * Reads the database catalog only, never the tables themselves.
 * @param smallBytes a table up to this size is always scanned
 */
export async function findAccess(
  session: SqlSession,
  kinds: readonly Kind[],
  smallBytes: number,
): Promise<readonly Access[]> {
  const tables = kinds.map(({ table }) => table)
  const indexes = await session.query<{ table: string; columns: string }>(INDEXES, [tables])
  const sizes = await session.query<{ table: string; bytes: string }>(SIZES, [tables])
  return kinds.map(kind => {
    const tableBytes = Number(sizes.find(({ table }) => table === kind.table)?.bytes ?? 0)
    const keys = indexes.filter(({ table }) => table === kind.table).map(({ columns }) => columns.split(','))
    const found = keys.map(names => leadingSeries(kind, names)).filter(({ indexed }) => indexed.length > 0)
    const { indexed, isTimed } = found.find(({ isTimed }) => isTimed) ?? found[0] ?? { indexed: [], isTimed: false }
    const isSmall = tableBytes <= smallBytes
    const byCommit = keys.some(([first]) => first === 'commit_sha')
    const by = byCommit ? 'commit' : indexed.length > 0 && !isSmall ? 'series' : 'scan'
    return { kind, by, tableBytes, indexed, isTimed }
  })
}

/** The kind's series fields in index order, if the index starts with all of them; otherwise an empty list. */
function leadingSeries(kind: Kind, names: readonly string[]): Pick<Access, 'indexed' | 'isTimed'> {
  const fields = seriesDimensions(kind)
  const leading = names.slice(0, fields.length).flatMap(name => fields.find(field => field.name === name) ?? [])
  const indexed = leading.length === fields.length ? leading : []
  return { indexed, isTimed: indexed.length > 0 && names[fields.length] === 'commit_timestamp' }
}

/**
 * SQL that lists every series of a table from an index, by jumping from one distinct value to the next (a loose index scan). Each
 * column is selected as text under its own name. The number of index lookups grows with the number of series, not of rows.
 * @param columns the first columns of an index, in its order
 * @param given lists only series with these values of text columns. Those that are not null are the parameters $1, $2, …
 */
export function selectSeries(
  table: string,
  columns: readonly Field[],
  given: ReadonlyMap<string, string | null> = new Map(),
): string {
  const parameters = [...given]
    .filter(([, value]) => value !== null)
    .map(([name], index) => [name, `$${index + 1}::text`])
  const fixed = new Map(parameters as [string, string][])
  const absent = [...given].filter(([, value]) => value === null).map(([name]) => name)
  return nullPatterns(columns.filter(({ name }) => !given.has(name)))
    .map(pattern => selectPattern(table, columns, { absent: new Set([...absent, ...pattern]), fixed }))
    .join(' UNION ALL ')
}

/**
 * Runs queries of `selectSeries` inside a transaction. Without statistics the planner may choose a plan that reads the whole table
 * at every step, so such plans are disabled.
 */
export async function withLooseScan<T>(session: SqlSession, work: () => Promise<T>): Promise<T> {
  const others = ['enable_seqscan', 'enable_bitmapscan', 'enable_sort', 'jit']
  await session.execute(others.map(name => `SET LOCAL ${name} TO off`).join('; '))
  const result = await work()
  await session.execute(others.map(name => `SET LOCAL ${name} TO DEFAULT`).join('; '))
  return result
}

/** All combinations of optional columns that may be null. Each needs its own query, because an index is searched by `IS NULL`. */
function nullPatterns(columns: readonly Field[]): readonly ReadonlySet<string>[] {
  const optional = columns.filter(column => column.optional).map(({ name }) => name)
  return Array.from(
    { length: 2 ** optional.length },
    (_, pattern) => new Set(optional.filter((_, bit) => (pattern >> bit) % 2 === 1)),
  )
}

type Pattern = {
  /** Columns that are null. */
  readonly absent: ReadonlySet<string>
  /** SQL expressions of the columns with a given value. */
  readonly fixed: ReadonlyMap<string, string>
}

function selectPattern(table: string, columns: readonly Field[], pattern: Pattern): string {
  const { absent, fixed } = pattern
  const values = columns.map(({ name }) => `${valueOf(name, pattern)}::text AS ${name}`)
  const levels = columns
    .map(({ name }, index) => ({ name, before: columns.slice(0, index).map(({ name }) => name) }))
    .filter(({ name }) => !absent.has(name) && !fixed.has(name))
    .map(({ name, before }) => `LATERAL (${leap(table, name, before, pattern)}) AS of_${name}`)
  return `(SELECT ${values.join(', ')} FROM ${levels.join(' CROSS JOIN ')})`
}

function valueOf(name: string, { absent, fixed }: Pattern): string {
  return absent.has(name) ? 'NULL' : (fixed.get(name) ?? `of_${name}.value`)
}

/** SQL for the distinct values of one column, given the values of the columns before it. */
function leap(table: string, name: string, before: readonly string[], pattern: Pattern): string {
  const above = before.map(other =>
    pattern.absent.has(other) ? `${other} IS NULL` : `${other} = ${valueOf(other, pattern)}`,
  )
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
