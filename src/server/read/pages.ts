/**
 * The answers of the read routes as JSON, each limited to a number of rows. Numbers are never converted to doubles, which could
 * change their digits.
 */

import { CONTRACT, type Kind, type FieldType } from '../../contract/kinds.js'
import { readGroups, type StoredGroup } from '../../database/queries/groups.js'
import { PAGE_BYTES, readRowPage, type PageLimits, type RowFilter, type TextRow } from '../../database/queries/rows.js'
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
  for (const kind of CONTRACT.kinds)
    found.push(...(await store.read(session => readGroups(session, kind, { limit: MAX_GROUPS }))))
  return found.map(({ group, series }) => ({
    ...{ slug: groupSlug(group), name: groupTitle(group), kind: group.kind.kind },
    ...groupValues(group),
    series,
  }))
}

/** One measurement: its id, by which pages are ordered, its stored bytes, and its kind and columns. */
type MeasurementEntry = { readonly id: bigint; readonly bytes: number; readonly kind: Kind; readonly row: TextRow }

export type MeasurementPage = {
  /** The measurements as JSON, separated by commas. */
  readonly json: string
  /** The id after which the next page starts; undefined on the last page. */
  readonly next: string | undefined
}

/** A page of rows of the given kinds, ordered by id. It ends before `limit` where its rows reach PAGE_BYTES. */
export async function measurementPage(
  store: Store,
  kinds: readonly Kind[],
  filter: RowFilter & PageLimits,
): Promise<MeasurementPage> {
  const found: MeasurementEntry[] = []
  // Kinds are read up to different ids. Beyond the smallest of these, rows of another kind may be missing.
  let readUntil: bigint | undefined
  for (const newest of kinds) {
    const { kind, rows, more } = await store.read(session => readRowPage(session, newest, filter))
    for (const row of rows) found.push({ id: BigInt(row.measurement_id), bytes: Number(row['bytes']), kind, row })
    const last = found.at(-1)?.id ?? 0n
    if (more && (readUntil === undefined || last < readUntil)) readUntil = last
  }
  const entries = firstEntries(
    found.filter(({ id }) => readUntil === undefined || id <= readUntil),
    filter.limit,
  )
  const isLast = readUntil === undefined && entries.length === found.length
  const json = entries.map(({ kind, row }) => measurementJson(kind, row)).join(',')
  return { json, next: isLast ? undefined : String(entries.at(-1)?.id) }
}

function firstEntries(entries: readonly MeasurementEntry[], limit: number): readonly MeasurementEntry[] {
  const sorted = entries.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)).slice(0, limit)
  let total = 0
  const end = sorted.findIndex(({ bytes }) => (total += shownBytes(bytes)) > PAGE_BYTES)
  return end === -1 ? sorted : sorted.slice(0, end)
}

function shownBytes(bytes: number): number {
  return bytes > PAGE_BYTES ? 0 : bytes
}

/** The row's kind, its id as a string (a double cannot hold every id), then every column in the order of the contract. */
function measurementJson({ kind, fields, hasCommitTimestamp }: Kind, row: TextRow): string {
  const head = `{"kind":${JSON.stringify(kind)},"measurement_id":${JSON.stringify(row['measurement_id'])}`
  if (Number(row['bytes']) > PAGE_BYTES) return `${head},"too_large":${row['bytes']}}`
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
