/** Groups: the measurements that share one chart, and their history. */

import { dimensionsOf, type Field, type Kind } from '../../contract/kinds.js'
import { storedKind } from '../contract-version.js'
import type { SqlSession } from '../session.js'
import { byteSum, foundRows, withinBytes } from './within-bytes.js'

/** A group is one kind of measurement with one value for each of these columns, as far as the kind has them. */
const GROUP_COLUMNS = ['dataset', 'dataset_variant', 'scale_factor', 'storage', 'layout']

export type MeasurementGroup = {
  readonly kind: Kind
  /** Values in the order of `groupFields`. */
  readonly values: readonly (string | null)[]
}

export function groupFields(kind: Kind): readonly Field[] {
  return kind.fields.filter(({ name }) => GROUP_COLUMNS.includes(name))
}

/** The dimensions that distinguish the series of a group: all that are neither the commit nor group columns. */
export function groupSeriesFields(kind: Kind): readonly Field[] {
  return dimensionsOf(kind).filter(({ name }) => name !== 'commit_sha' && !GROUP_COLUMNS.includes(name))
}

/** The field of a kind that its charts show. */
export function chartField({ fields }: Kind): Field {
  return fields.find(({ name }) => name.startsWith('value_'))!
}

export type StoredGroup = { readonly group: MeasurementGroup; readonly series: number }

/** Groups and series whose names have more bytes together are not listed, because nobody could read them. */
const MAX_NAME_BYTES = 1_000
/** Bytes of the names of all listed groups of a kind. */
const GROUPS_BYTES = 1024 * 1024

/** Lists the stored groups of a kind with the number of their series. */
export async function readGroups(session: SqlSession, newest: Kind, limit: number): Promise<readonly StoredGroup[]> {
  const kind = await storedKind(session, newest)
  const columns = groupFields(kind).map(({ name }) => name)
  const all = [...columns, ...groupSeriesFields(kind).map(({ name }) => name)].join(', ')
  const by = columns.join(', ')
  const groups = `
    SELECT ${by}, count(*)::int AS series, row_number() OVER (ORDER BY ${by}) AS place, ${byteSum(columns)} AS weight
    FROM (SELECT DISTINCT ${all} FROM public.${kind.table}) AS known
    GROUP BY ${by} HAVING ${byteSum(columns)} <= ${MAX_NAME_BYTES} ORDER BY ${by} LIMIT ${limit}`
  const rows = await session.query<{ readonly series: number; readonly [column: string]: string | number | null }>(
    withinBytes(groups, GROUPS_BYTES),
  )
  const valueOf = (value: string | number | null | undefined): string | null => (value ?? null) as string | null
  return rows.map(row => ({
    group: { kind: newest, values: groupFields(newest).map(({ name }) => valueOf(row[name])) },
    series: row.series,
  }))
}

/**
 * The SQL condition for rows of a group, written so that an index can be used.
 * @param first number of the condition's first parameter
 */
export function groupCondition(
  { kind, values }: MeasurementGroup,
  first: number,
): { readonly sql: string; readonly values: string[] } {
  const given: string[] = []
  const conditions = groupFields(kind).map(({ name }, index) => {
    const value = values[index] ?? null
    if (value === null) return `${name} IS NULL`
    given.push(value)
    return `${name} = $${first + given.length - 1}::text`
  })
  return { sql: conditions.join(' AND '), values: given }
}

const UNCOMPRESSED = 'uncompressed_bytes'

export function hasUncompressed({ fields }: Kind): boolean {
  return fields.some(({ name }) => name === UNCOMPRESSED)
}

export type SeriesHistory = {
  /** Values of the `groupSeriesFields`. A dimension that an older database lacks has its default. */
  readonly key: readonly string[]
  /**
   * The points as text, separated by commas. A point is the place of its commit in the given list, the value, and the size before
   * compression where it is known, separated by spaces.
   */
  readonly points: string
}

/** Bytes of the names and points of a history. */
const HISTORY_BYTES = 8 * 1024 * 1024

export type GroupHistory = {
  readonly series: readonly SeriesHistory[]
  /** Whether the group has more series. */
  readonly more: boolean
}

/**
 * Reads the history of a group. The database gathers the points of each series, so that a row for each series is read and not one
 * for each measurement.
 */
export async function readGroupHistory(
  session: SqlSession,
  group: MeasurementGroup,
  { shas, limit }: { readonly shas: readonly string[]; readonly limit: number },
): Promise<GroupHistory> {
  const kind = await storedKind(session, group.kind)
  const by = groupSeriesFields(kind).map(({ name }) => name)
  const { sql, values } = groupCondition({ ...group, kind }, 2)
  const uncompressed = hasUncompressed(kind) ? ` || coalesce(' ' || ${UNCOMPRESSED}, '')` : ''
  const names = by.map(name => `${kind.table}.${name}`)
  const bytes = byteSum(names.map(name => `${name}::text`))
  const history = `
    SELECT ${by.map(name => `${name}::text AS ${name}`).join(', ')},
      row_number() OVER (ORDER BY ${names.join(', ')}) AS place, ${bytes} AS bytes,
      string_agg((place - 1) || ' ' || ${chartField(kind).name}${uncompressed}, ',') AS points
    FROM public.${kind.table} JOIN unnest($1::text[]) WITH ORDINALITY AS chosen (sha, place) ON commit_sha = sha
    WHERE ${sql} GROUP BY ${names.join(', ')} HAVING ${bytes} <= ${MAX_NAME_BYTES}
    ORDER BY ${names.join(', ')} LIMIT ${limit + 1}`
  const sized = `SELECT *, bytes + octet_length(points) AS weight FROM (${history}) AS history`
  const rows = await session.query<Readonly<Record<string, string | null>>>(withinBytes(sized, HISTORY_BYTES), [
    shas,
    ...values,
  ])
  const series = rows.slice(0, limit).map(row => ({
    key: groupSeriesFields(group.kind).map(({ name, conditional }) => row[name] ?? conditional ?? ''),
    points: row['points'] ?? '',
  }))
  return { series, more: series.length < foundRows(rows) }
}
