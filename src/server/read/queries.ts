/** The queries of the read routes, each limited to a number of rows. */

import { COMMIT_FIELDS } from '../../contract/commit.js'
import { CONTRACT, kindIn, type Kind } from '../../contract/kinds.js'
import { readableVersion } from '../../database/contract-version.js'
import type { SqlSession } from '../../database/session.js'
import type { Store } from '../store/store.js'
import { groupFields, inGroup, groupName, selectGroups, formatSlug, type Group } from './groups.js'
import type { GroupEntry } from './answers.js'
import { measurementJson, selectColumns, utc, type TextRow } from './row-json.js'

/** More groups than any reader shows. */
const MAX_GROUPS = 10_000

export async function findGroups(store: Store): Promise<readonly GroupEntry[]> {
  const found: GroupEntry[] = []
  for (const kind of CONTRACT.kinds) {
    const rows = await store.read(async session => {
      const known = kindIn(await readableVersion(session), kind)
      return session.query<TextRow>(selectGroups(known, MAX_GROUPS))
    })
    for (const row of rows) found.push(groupEntry(kind, row))
  }
  return found
}

function groupEntry(kind: Kind, row: TextRow): GroupEntry {
  const names = groupFields(kind).map(({ name }) => name)
  const group: Group = { kind, values: names.map(name => row[name] ?? null) }
  const columns = Object.fromEntries(names.map(name => [name, row[name] ?? null]))
  return { slug: formatSlug(group), name: groupName(group), kind: kind.kind, ...columns, series: Number(row['series']) }
}

/** One measurement as JSON, and its id, by which pages are ordered. */
export type MeasurementJson = { readonly id: bigint; readonly json: string }

export type PageQuery = { readonly after: string | undefined; readonly limit: number }

/** Rows of a commit, of the given kinds, ordered by id. */
export async function commitPage(
  store: Store,
  kinds: readonly Kind[],
  { sha, after, limit }: PageQuery & { readonly sha: string },
): Promise<readonly MeasurementJson[]> {
  const pages: (readonly MeasurementJson[])[] = []
  for (const kind of kinds)
    pages.push(
      await store.read(session => page(session, kind, { sql: 'commit_sha = $1::text', values: [sha], after, limit })),
    )
  const all = pages.flat().sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  return all.slice(0, limit)
}

/** Rows of the given kinds that have one of these ids. */
export async function rowsById(
  store: Store,
  kinds: readonly Kind[],
  ids: readonly string[],
): Promise<readonly MeasurementJson[]> {
  const rows: (readonly MeasurementJson[])[] = []
  const filter = { sql: 'measurement_id = ANY($1::bigint[])', values: [ids], after: undefined, limit: ids.length }
  for (const kind of kinds) rows.push(await store.read(session => page(session, kind, filter)))
  return rows.flat()
}

/** Rows of a group that belong to one of the given commits, ordered by id. */
export function groupPage(
  store: Store,
  group: Group,
  options: PageQuery & { readonly shas: readonly string[] },
): Promise<readonly MeasurementJson[]> {
  const { sql, values } = inGroup(group, 2)
  const condition = `commit_sha = ANY($1::text[]) AND ${sql}`
  return store.read(session =>
    page(session, group.kind, { ...options, sql: condition, values: [options.shas, ...values] }),
  )
}

type Filter = PageQuery & { readonly sql: string; readonly values: readonly unknown[] }

/** @param newest the kind in the newest contract version; rows have the columns of the version of the database */
async function page(
  session: SqlSession,
  newest: Kind,
  { sql, values, after, limit }: Filter,
): Promise<readonly MeasurementJson[]> {
  const kind = kindIn(await readableVersion(session), newest)
  const from = after === undefined ? '' : `AND measurement_id > $${values.length + 1}::bigint`
  const text = `SELECT ${selectColumns(kind)} FROM public.${kind.table} WHERE ${sql} ${from} ORDER BY ${kind.table}.measurement_id LIMIT ${limit}`
  const rows = await session.query<TextRow>(text, after === undefined ? values : [...values, after])
  return rows.map(row => ({ id: BigInt(row['measurement_id'] ?? ''), json: measurementJson(kind, row) }))
}

/** The newest commits, or the commit with the given SHA. */
export async function findCommits(
  store: Store,
  by: { readonly newest: number } | { readonly sha: string },
): Promise<readonly TextRow[]> {
  const columns = COMMIT_FIELDS.map(field =>
    field === 'sha' ? 'commit_sha' : field === 'timestamp' ? utc(field) : field,
  )
  const text = `SELECT ${columns.join(', ')} FROM public.commits`
  return store.read(session =>
    'sha' in by
      ? session.query<TextRow>(`${text} WHERE commit_sha = $1::text`, [by.sha])
      : session.query<TextRow>(`${text} ORDER BY commits.timestamp DESC, commit_sha DESC LIMIT ${by.newest}`),
  )
}
