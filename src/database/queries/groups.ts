/** Groups: the measurements that share one chart. */

import { dimensionsOf, type Field, type Kind } from '../../contract/kinds.js'
import { storedKind } from '../contract-version.js'
import { inSnapshot, type SqlSession } from '../session.js'
import { findAccess, selectSeries, withLooseScan } from './commit-access.js'
import { byteSum, withinBytes } from './within-bytes.js'

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
export const MAX_NAME_BYTES = 1_000
/** Bytes of the names of all listed groups of a kind. */
const GROUPS_BYTES = 1024 * 1024

type GroupRow = { readonly series: number; readonly [column: string]: string | number | null }

/** Tables up to this size are read whole, because that is as fast as listing their series from an index. */
export const SMALL_BYTES = 64 * 1024 * 1024

type GroupLimits = {
  readonly limit: number
  /** A table of up to this size is read whole. */
  readonly smallBytes?: number
}

/** Lists the stored groups of a kind with the number of their series. */
export async function readGroups(
  session: SqlSession,
  newest: Kind,
  { limit, smallBytes = SMALL_BYTES }: GroupLimits,
): Promise<readonly StoredGroup[]> {
  const kind = await storedKind(session, newest)
  const columns = groupFields(kind).map(({ name }) => name)
  const all = [...columns, ...groupSeriesFields(kind).map(({ name }) => name)].join(', ')
  const by = columns.join(', ')
  const [access] = await findAccess(session, [kind], smallBytes)
  const known =
    access?.by === 'series'
      ? selectSeries(kind.table, access.indexed)
      : `SELECT DISTINCT ${all} FROM public.${kind.table}`
  const groups = `
    SELECT ${by}, count(*)::int AS series, row_number() OVER (ORDER BY ${by}) AS place, ${byteSum(columns)} AS weight
    FROM (${known}) AS known
    GROUP BY ${by} HAVING ${byteSum(columns)} <= ${MAX_NAME_BYTES} ORDER BY ${by} LIMIT ${limit}`
  const read = () => session.query<GroupRow>(withinBytes(groups, GROUPS_BYTES))
  const rows = access?.by === 'series' ? await inSnapshot(session, () => withLooseScan(session, read)) : await read()
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
