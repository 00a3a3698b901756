/** Groups: the measurements that share one chart, and their history. */

import { dimensionsOf, type Field, type Kind } from '../../contract/kinds.js'
import { storedKind } from '../contract-version.js'
import type { SqlSession } from '../session.js'

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

/** Lists the stored groups of a kind with the number of their series. */
export async function readGroups(session: SqlSession, newest: Kind, limit: number): Promise<readonly StoredGroup[]> {
  const kind = await storedKind(session, newest)
  const columns = groupFields(kind).map(({ name }) => name)
  const all = [...columns, ...groupSeriesFields(kind).map(({ name }) => name)].join(', ')
  const by = columns.join(', ')
  const rows = await session.query<{ readonly series: number; readonly [column: string]: string | number | null }>(`
    SELECT ${by}, count(*)::int AS series FROM (SELECT DISTINCT ${all} FROM public.${kind.table}) AS known
    GROUP BY ${by} ORDER BY ${by} LIMIT ${limit}`)
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

/**
 * Reads the history of a group. The database gathers the points of each series, so that a row for each series is read and not one
 * for each measurement.
 */
export async function readGroupHistory(
  session: SqlSession,
  group: MeasurementGroup,
  { shas, limit }: { readonly shas: readonly string[]; readonly limit: number },
): Promise<readonly SeriesHistory[]> {
  const kind = await storedKind(session, group.kind)
  const by = groupSeriesFields(kind).map(({ name }) => name)
  const { sql, values } = groupCondition({ ...group, kind }, 2)
  const uncompressed = hasUncompressed(kind) ? ` || coalesce(' ' || ${UNCOMPRESSED}, '')` : ''
  const text = `
    SELECT ${by.map(name => `${name}::text AS ${name}`).join(', ')},
      string_agg((place - 1) || ' ' || ${chartField(kind).name}${uncompressed}, ',') AS points
    FROM public.${kind.table} JOIN unnest($1::text[]) WITH ORDINALITY AS chosen (sha, place) ON commit_sha = sha
    WHERE ${sql} GROUP BY ${by.map(name => `${kind.table}.${name}`).join(', ')}
    ORDER BY ${by.map(name => `${kind.table}.${name}`).join(', ')} LIMIT ${limit}`
  const rows = await session.query<Readonly<Record<string, string | null>>>(text, [shas, ...values])
  return rows.map(row => ({
    key: groupSeriesFields(group.kind).map(({ name, conditional }) => row[name] ?? conditional ?? ''),
    points: row['points'] ?? '',
  }))
}
