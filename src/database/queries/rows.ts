/** Reads stored measurements, with every column as text, because JavaScript numbers would lose digits. */

import type { Kind } from '../../contract/kinds.js'
import { storedKind } from '../contract-version.js'
import type { SqlSession } from '../session.js'
import { groupCondition, type MeasurementGroup } from './groups.js'
import { byteSum, foundRows, withinBytes } from './within-bytes.js'

/** A row with every column as text. Null columns are null or absent. */
export type TextRow = Readonly<Record<string, string | null>>

/** A stored measurement. It lacks the columns that its table lacks. */
export type StoredRow = { readonly measurement_id: string; readonly [column: string]: string | null }

/** Selects columns of a kind's table, each as text under its own name. */
export function selectText({ table }: Kind, columns: readonly string[], ...more: readonly string[]): string {
  return `SELECT ${[...columns.map(name => `${name}::text AS ${name}`), ...more].join(', ')} FROM public.${table}`
}

function columnNames({ fields }: Kind): readonly string[] {
  return ['measurement_id', ...fields.map(({ name }) => name)]
}

/** Selects a timestamptz as RFC 3339 text in UTC, independent of the session's time zone and date style. */
export function utcText(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ${column}`
}

/** Reads the rows that have one of these ids, in any order and without the time of their commit. */
export async function readRowsById(
  session: SqlSession,
  newest: Kind,
  ids: readonly string[],
): Promise<readonly StoredRow[]> {
  const kind = await storedKind(session, newest)
  const text = `${selectText(kind, columnNames(kind))} WHERE measurement_id = ANY($1::bigint[])`
  return session.query<StoredRow>(text, [ids])
}

/** The rows to read: those with one of some ids, of a commit, or of a group at one of some commits. */
export type RowFilter =
  | { readonly ids: readonly string[] }
  | { readonly commit: string }
  | { readonly group: MeasurementGroup; readonly commits: readonly string[] }

/** Rows in the order of their ids: at most `limit` with an id greater than `after`. */
export type PageLimits = { readonly after?: string | undefined; readonly limit: number }

/** Bytes of the rows of a page. A row of more bytes has `bytes` and none of its values. */
export const PAGE_BYTES = 4 * 1024 * 1024

export type RowPage = {
  /** The kind in the contract version of the database, whose columns the rows have. */
  readonly kind: Kind
  /** Each row also has its size in `bytes`. */
  readonly rows: readonly StoredRow[]
  /** Whether rows may follow. */
  readonly more: boolean
}

/**
 * Reads a page of rows with the times of their commits. The page ends before `limit` where its rows reach PAGE_BYTES.
 * @param newest the kind in the newest contract version
 */
export async function readRowPage(session: SqlSession, newest: Kind, filter: RowFilter & PageLimits): Promise<RowPage> {
  const kind = await storedKind(session, newest)
  const { after, limit } = filter
  const { sql, values } = condition(filter)
  const from = after === undefined ? '' : `AND measurement_id > $${values.length + 1}::bigint`
  const times = kind.hasCommitTimestamp ? [utcText('commit_timestamp')] : []
  const select = selectText(kind, columnNames(kind), ...times, 'measurement_id AS place')
  const page = `${select} WHERE ${sql} ${from} ORDER BY ${kind.table}.measurement_id LIMIT ${limit}`
  const text = withinBytes(withoutLargeValues(kind, page), PAGE_BYTES)
  const rows = await session.query<StoredRow>(text, after === undefined ? values : [...values, after])
  const found = foundRows(rows)
  return { kind, rows, more: rows.length < found || found === limit }
}

/** SQL for the rows of `page` with their size in `bytes`, in which rows larger than a page have only their id. */
function withoutLargeValues(kind: Kind, page: string): string {
  const { hasCommitTimestamp, fields } = kind
  const names = [...fields.map(({ name }) => name), ...(hasCommitTimestamp ? ['commit_timestamp'] : [])]
  const kept = names.map(name => `CASE WHEN size <= ${PAGE_BYTES} THEN ${name} END AS ${name}`)
  return `
    SELECT place, measurement_id, size::text AS bytes, ${kept.join(', ')},
      CASE WHEN size <= ${PAGE_BYTES} THEN size ELSE 0 END AS weight
    FROM (SELECT *, ${byteSum(names)} AS size FROM (${page}) AS page) AS sized`
}

function condition(filter: RowFilter): { readonly sql: string; readonly values: readonly unknown[] } {
  if ('ids' in filter) return { sql: 'measurement_id = ANY($1::bigint[])', values: [filter.ids] }
  if ('commit' in filter) return { sql: 'commit_sha = $1::text', values: [filter.commit] }
  const { sql, values } = groupCondition(filter.group, 2)
  return { sql: `commit_sha = ANY($1::text[]) AND ${sql}`, values: [filter.commits, ...values] }
}

const IDS_PER_PAGE = 10_000

/** Reads one page of the ids of a commit's rows, in ascending order, starting after `after`. Empty after the last page. */
export async function readCommitIds(
  session: SqlSession,
  { table }: Kind,
  { sha, after }: { readonly sha: string; readonly after: string | undefined },
): Promise<readonly string[]> {
  const from = after === undefined ? '' : 'AND measurement_id > $2::bigint'
  const text = `
    SELECT measurement_id::text AS id FROM public.${table}
    WHERE commit_sha = $1::text ${from} ORDER BY measurement_id LIMIT ${IDS_PER_PAGE}`
  const rows = await session.query<{ id: string }>(text, [sha, ...(after === undefined ? [] : [after])])
  return rows.map(({ id }) => id)
}
