/**
 * The answers of the read routes as JSON, each limited to a number of rows. Numbers are never converted to doubles, which could
 * change their digits.
 */

import { CONTRACT, type Kind, type FieldType } from '../../contract/kinds.js'
import { readGroups, type MeasurementGroup, type StoredGroup } from '../../database/queries/groups.js'
import { readRowPage, type PageLimits, type RowFilter, type TextRow } from '../../database/queries/rows.js'
import type { Store } from '../store/store.js'
import { groupSlug, groupTitle, groupValues } from './groups.js'

export type GroupSummary = {
  readonly slug: string
  readonly name: string
  readonly kind: string
  readonly series: number
} & Readonly<Record<string, string | number | null>>

/** More groups than any reader shows. */
const MAX_GROUPS = 10_000

export async function listGroups(store: Store): Promise<readonly GroupSummary[]> {
  const found: StoredGroup[] = []
  for (const kind of CONTRACT.kinds) found.push(...(await store.read(session => readGroups(session, kind, MAX_GROUPS))))
  return found.map(({ group, series }) => ({
    ...{ slug: groupSlug(group), name: groupTitle(group), kind: group.kind.kind },
    ...groupValues(group),
    series,
  }))
}

/** One measurement as JSON, and its id, by which pages are ordered. */
export type MeasurementEntry = { readonly id: bigint; readonly json: string }

/** Rows of a commit, of the given kinds, ordered by id. */
export async function commitPage(
  store: Store,
  kinds: readonly Kind[],
  filter: PageLimits & { readonly commit: string },
): Promise<readonly MeasurementEntry[]> {
  const rows = await rowsOfKinds(store, kinds, filter)
  return rows.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)).slice(0, filter.limit)
}

/** Rows of the given kinds that have one of these ids. */
export function idPage(
  store: Store,
  kinds: readonly Kind[],
  ids: readonly string[],
): Promise<readonly MeasurementEntry[]> {
  return rowsOfKinds(store, kinds, { ids, limit: ids.length })
}

/** Rows of a group that belong to one of the given commits, ordered by id. */
export function groupPage(
  store: Store,
  group: MeasurementGroup,
  options: PageLimits & { readonly commits: readonly string[] },
): Promise<readonly MeasurementEntry[]> {
  return rowsOfKinds(store, [group.kind], { ...options, group })
}

async function rowsOfKinds(
  store: Store,
  kinds: readonly Kind[],
  filter: RowFilter & PageLimits,
): Promise<MeasurementEntry[]> {
  const found: MeasurementEntry[] = []
  for (const newest of kinds) {
    const { kind, rows } = await store.read(session => readRowPage(session, newest, filter))
    for (const row of rows) found.push({ id: BigInt(row.measurement_id), json: measurementJson(kind, row) })
  }
  return found
}

/** The row's kind, its id as a string (a double cannot hold every id), then every column in the order of the contract. */
function measurementJson({ kind, fields, hasCommitTimestamp }: Kind, row: TextRow): string {
  const head = `{"kind":${JSON.stringify(kind)},"measurement_id":${JSON.stringify(row['measurement_id'])}`
  const columns = fields.map(({ name, type }) => `,${JSON.stringify(name)}:${valueJson(type, row[name])}`)
  const timed = hasCommitTimestamp ? `,"commit_timestamp":${valueJson('str', row['commit_timestamp'])}` : ''
  return `${head}${columns.join('')}${timed}}`
}

/** @param text the value as Postgres writes it */
function valueJson(type: FieldType, text: string | null | undefined): string {
  if (text === null || text === undefined) return 'null'
  switch (type) {
    case 'str':
      return JSON.stringify(text)
    case '[i64]':
      return `[${text.slice(1, -1).replaceAll('NULL', 'null')}]`
    case 'i32':
    case 'i64':
      return text
    case 'f64':
      // The contract allows no NaN or infinity, but a database column can hold them. JSON cannot, so they become strings.
      return /^-?\d/.test(text) ? text : JSON.stringify(text)
  }
}
