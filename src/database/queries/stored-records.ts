/**
 * Reads any number of stored records and their commits in flat memory, ordered by commit and measurement id. Call the readers in
 * `inSnapshot`, so that all pages show the same state of the database.
 */

import { COMMIT_FIELDS, type Commit } from '../../contract/commit.js'
import type { Kind } from '../../contract/kinds.js'
import { storedKind } from '../contract-version.js'
import type { FoundColumn } from '../readable-types.js'
import type { SqlSession } from '../session.js'
import { groupCondition, type MeasurementGroup } from './groups.js'
import { PAGE_BYTES, selectText, utcText, type StoredRow } from './rows.js'

export type StoredRecordFilter = {
  readonly commit?: string | undefined
  readonly group?: MeasurementGroup | undefined
  /** RFC 3339. Only records of commits of this time or later. */
  readonly since?: string | undefined
  /** RFC 3339. Only records of commits before this time. */
  readonly until?: string | undefined
}

export type RecordPagesOptions = {
  readonly filter?: StoredRecordFilter
  /** Continues after all records of this commit id and of those before it. Default: from the start. */
  readonly afterCommit?: string | undefined
}

/** The fields of a commit whose columns may be null, which means the same as empty. */
export const NULLABLE_COMMIT_FIELDS: readonly (keyof Commit)[] = [
  ...(['message', 'author_name', 'author_email', 'committer_name', 'committer_email'] as const),
]

/** Number of ids that one FETCH returns. */
const FETCHED_KEYS = 10_000
/** Upper bound for the rows of a page. */
const PAGE_ROWS = 2_000
const COMMITS_PER_PAGE = 500

/** Commit ids are compared by their bytes, so that their order is the same in every database and in JavaScript. */
const BY_COMMIT = 'commit_sha COLLATE "C"'

/**
 * Yields the records of one kind in pages of at most 4 MiB, unless a single record is larger. Every column is text. A record lacks
 * the columns that its table lacks, and has its stored `measurement_id`.
 */
export async function* readRecordPages(
  session: SqlSession,
  newest: Kind,
  options: RecordPagesOptions = {},
): AsyncGenerator<readonly StoredRow[]> {
  const kind = await storedKind(session, newest)
  const columns = ['measurement_id', ...kind.fields.map(({ name }) => name)]
  const text = `${selectText(kind, columns)} WHERE measurement_id = ANY($1::bigint[]) ORDER BY ${BY_COMMIT}, ${kind.table}.measurement_id`
  for await (const ids of idPages(session, kind, options)) yield await session.query<StoredRow>(text, [ids])
}

/** Reads the columns of all tables in the schema `public`. */
export function readColumns(session: SqlSession): Promise<readonly FoundColumn[]> {
  return session.query<FoundColumn>(
    `SELECT relname AS table, attname AS column, format_type(atttypid, NULL) AS type
     FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_class ON pg_class.oid = attrelid
     WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped`,
  )
}

/** Yields all commits with their whole texts in pages, ordered by commit id. */
export async function* readCommitPages(
  session: SqlSession,
  { filter = {}, afterCommit }: RecordPagesOptions = {},
): AsyncGenerator<readonly Commit[]> {
  const columns = COMMIT_FIELDS.map(field => {
    if (field === 'sha') return 'commit_sha AS sha'
    if (field === 'timestamp') return utcText(field)
    return NULLABLE_COMMIT_FIELDS.includes(field) ? `coalesce(${field}, '') AS ${field}` : field
  })
  for (let after = afterCommit ?? '', isLast = false; !isLast;) {
    const { sql, values } = commitCondition({ filter, afterCommit: after })
    const text = `SELECT ${columns.join(', ')} FROM public.commits WHERE ${sql} ORDER BY ${BY_COMMIT} LIMIT ${COMMITS_PER_PAGE}`
    const commits = await session.query<Commit>(text, values)
    isLast = commits.length < COMMITS_PER_PAGE
    after = commits.at(-1)?.sha ?? after
    if (commits.length > 0) yield commits
  }
}

/** The number of records of a kind that `readRecordPages` yields. */
export async function countStoredRecords(
  session: SqlSession,
  kind: Kind,
  options: RecordPagesOptions = {},
): Promise<number> {
  const { sql, values } = recordCondition(kind, options)
  const text = `SELECT count(*)::text AS records FROM public.${kind.table} WHERE ${sql}`
  const [counted] = await session.query<{ records: string }>(text, values)
  return Number(counted!.records)
}

type RecordKey = { readonly id: string; readonly bytes: string }

/**
 * Yields the ids of the records in order, in pages that are limited by their number and by the bytes of their records. The tables
 * have no index on the commit, so a query per page would sort all keys each time. A cursor sorts them once.
 */
async function* idPages(
  session: SqlSession,
  kind: Kind,
  options: RecordPagesOptions,
): AsyncGenerator<readonly string[]> {
  const cursor = `keys_of_${kind.table}`
  const { sql, values } = recordCondition(kind, options)
  const keys = `SELECT measurement_id::text AS id, (${storedBytes(kind)})::text AS bytes FROM public.${kind.table} WHERE ${sql}`
  // The planner prefers a plan that returns its first rows early unless it knows that all rows of a cursor are read.
  await session.execute(`SET LOCAL cursor_tuple_fraction TO 1; SET LOCAL idle_in_transaction_session_timeout TO 0`)
  const order = `ORDER BY ${BY_COMMIT}, ${kind.table}.measurement_id`
  await session.query(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${keys} ${order}`, values)
  try {
    let page: string[] = []
    let pageBytes = 0
    for (let isLast = false; !isLast;) {
      const found = await session.query<RecordKey>(`FETCH ${FETCHED_KEYS} FROM ${cursor}`)
      isLast = found.length < FETCHED_KEYS
      for (const { id, bytes } of found) {
        if (page.length === PAGE_ROWS || (page.length > 0 && pageBytes + Number(bytes) > PAGE_BYTES)) {
          yield page
          page = []
          pageBytes = 0
        }
        page.push(id)
        pageBytes += Number(bytes)
      }
    }
    if (page.length > 0) yield page
  } finally {
    // CLOSE fails when the connection is lost or the transaction has failed. That error is already being reported.
    await session.execute(`CLOSE ${cursor}`).catch(() => undefined)
  }
}

/** SQL for the approximate size of a record, which does not read large values. */
function storedBytes({ fields }: Kind): string {
  const sizes = fields.map(({ name, type }) => {
    if (type === 'str') return `coalesce(octet_length(${name}), 0)`
    return type === '[i64]' ? `coalesce(cardinality(${name}), 0) * 20` : '20'
  })
  return sizes.join(' + ')
}

type Condition = { readonly sql: string; readonly values: readonly unknown[] }

function recordCondition(kind: Kind, { filter = {}, afterCommit }: RecordPagesOptions): Condition {
  const { commit, group, since, until } = filter
  if (group !== undefined && group.kind.kind !== kind.kind) return { sql: 'false', values: [] }
  const { sql, values } = commitCondition({ filter: { commit }, afterCommit })
  const times = timeCondition({ since, until }, values.length + 1)
  const grouped = group && groupCondition(group, values.length + times.values.length + 1)
  const conditions = [
    sql,
    ...(times.sql === '' ? [] : [`commit_sha IN (SELECT commit_sha FROM public.commits WHERE ${times.sql})`]),
    ...(grouped === undefined ? [] : [grouped.sql]),
  ]
  return { sql: conditions.join(' AND '), values: [...values, ...times.values, ...(grouped?.values ?? [])] }
}

/** A condition on the rows of `commits`. Without `since` and `until` it fits the rows of every table. */
function commitCondition({ filter = {}, afterCommit = '' }: RecordPagesOptions): Condition {
  const { commit } = filter
  const values = commit === undefined ? [afterCommit] : [afterCommit, commit]
  const times = timeCondition(filter, values.length + 1)
  const conditions = [
    `${BY_COMMIT} > $1::text`,
    ...(commit === undefined ? [] : ['commit_sha = $2::text']),
    ...(times.sql === '' ? [] : [times.sql]),
  ]
  return { sql: conditions.join(' AND '), values: [...values, ...times.values] }
}

/** A condition on the time of a commit; empty when every time fits. @param first number of its first parameter */
function timeCondition({ since, until }: StoredRecordFilter, first: number): Condition {
  const limits = [
    { operator: '>=', time: since },
    { operator: '<', time: until },
  ].filter(({ time }) => time !== undefined)
  const sql = limits
    .map(({ operator }, at) => `commits.timestamp ${operator} $${first + at}::timestamptz`)
    .join(' AND ')
  return { sql, values: limits.map(({ time }) => time) }
}
