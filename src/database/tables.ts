/** SQL statements for the contract's tables, generated from the contract. */

import { CONTRACT, type Field, type Kind } from '../contract/kinds.js'
import { columnType } from './column-types.js'
import { IS_NEW_COMMIT } from './commit-row.js'
import { columnProbes } from './contract-version.js'
import { databaseProbe, KEEPS_STORED, newerIds, raise, recordIds } from './ordering.js'
import { BEGIN } from './session.js'
import { DEFAULT_WORK_MEM_MIB } from './tunables.js'

/**
 * The fields that are staged: all except the commit, which is the same for every record of a delivery. Rows are staged with
 * the fields of the newest contract version. The statements below write only the columns of the given kind's version.
 */
export function stagedFields({ kind }: Kind): Kind['fields'] {
  return rowFields(CONTRACT.kinds.find(({ kind: name }) => name === kind)!)
}

function rowFields(kind: Kind): Kind['fields'] {
  return kind.fields.filter(field => field.name !== 'commit_sha')
}

/** Columns of a kind's staging table, in COPY order. */
export function stagingColumns(kind: Kind): readonly string[] {
  return ['measurement_id', ...stagedFields(kind).map(field => field.name)]
}

/**
 * An SQL condition that excludes rows which a table of an older contract version cannot tell apart, because it lacks a
 * dimension and the row's value is not that dimension's default.
 */
function hasOnlyKnownDimensions(kind: Kind): string {
  const names = new Set(kind.fields.map(({ name }) => name))
  const unknown = stagedFields(kind).filter(({ name, dimension }) => dimension && !names.has(name))
  if (unknown.length === 0) return 'true'
  return unknown.map(({ name, conditional }) => `coalesce(${name} = '${conditional ?? ''}', true)`).join(' AND ')
}

export function stagingTable(kind: Kind): string {
  return `staged_${kind.table}`
}

/** Begins a transaction. The last statement is `databaseProbe`. */
export function beginDelivery(kinds: readonly Kind[]): string {
  return [BEGIN, ...columnProbes(kinds), databaseProbe(kinds)].join('; ')
}

/**
 * Begins a transaction with a staging table for each kind. The last statement is `databaseProbe`.
 * @param workMemMiB memory in MiB that the database may use to sort the rows
 */
export function beginStaging(kinds: readonly Kind[], workMemMiB = DEFAULT_WORK_MEM_MIB): string {
  const memory = `SET LOCAL work_mem = '${workMemMiB}MB'`
  // The staging tables come first, because a standby then reports that it is read-only, whatever tables it has.
  return [BEGIN, memory, ...kinds.map(createStaging), ...columnProbes(kinds), databaseProbe(kinds)].join('; ')
}

function createStaging(kind: Kind): string {
  const columns = stagedFields(kind).map(field => `${field.name} ${columnType(field.type)}`)
  return `CREATE TEMP TABLE ${stagingTable(kind)} (measurement_id bigint, ${columns.join(', ')}) ON COMMIT DROP`
}

/** How the statements of a delivery are made. */
export type UpsertOptions = {
  /** Whether values of newer deliveries are left in place, which needs the schema `vortex_ingest` and `orderStatements`. */
  readonly isOrdered: boolean
}

const UNORDERED: UpsertOptions = { isOrdered: false }

/**
 * Upserts a kind's staged rows into its table. Parameters: the commit's sha and timestamp.
 * @see writtenCounts
 */
export function upsertStaged(kind: Kind, options = UNORDERED): string {
  const queries = [...stagedOrder(kind, options), judgedRows(kind, lastStaged(kind), options), upsertJudged(kind)]
  return `WITH ${queries.join(', ')} ${writtenCounts(kind)}`
}

/**
 * Like `upsertStaged`, but inserts without looking up stored rows when `upsertCommit` has just added the commit, which is a
 * fifth faster. Fails with SQLSTATE 23505 if rows of that commit are stored all the same; then use `upsertStaged`.
 */
export function insertOrUpsertStaged(kind: Kind, options = UNORDERED): string {
  const queries = [
    ...stagedOrder(kind, options),
    insertFrom(kind, lastStaged(kind), IS_NEW_COMMIT),
    judgedRows(kind, `${lastStaged(kind)} WHERE NOT ${IS_NEW_COMMIT}`, options),
    upsertJudged(kind),
  ]
  return `WITH ${queries.join(', ')} ${writtenCounts(kind, '(SELECT count(*)::int FROM added)')}`
}

function stagedOrder(kind: Kind, { isOrdered }: UpsertOptions): readonly string[] {
  if (!isOrdered) return []
  const rows = `FROM ${stagingTable(kind)} AS latest WHERE ${hasOnlyKnownDimensions(kind)} AND NOT ${KEEPS_STORED}`
  return [newerIds(kind.table), recordIds(kind.table, rows)]
}

function lastStaged(kind: Kind): string {
  return lastOfEachId(kind, { rows: stagingTable(kind), order: 'ctid' })
}

type OrderedRows = { readonly rows: string; readonly order: string }

/** A relation `latest`: the last row of each id in a relation. */
function lastOfEachId(kind: Kind, { rows, order }: OrderedRows): string {
  return `(
        SELECT DISTINCT ON (measurement_id) * FROM ${rows} WHERE ${hasOnlyKnownDimensions(kind)}
        ORDER BY measurement_id, ${order} DESC
      ) AS latest`
}

/**
 * Compares a kind's staged rows with the stored ones after the upsert, because triggers may have changed them. Returns one row
 * with counts of distinct ids: `ids` of all of them, `missing` of those without a stored row, and `differing` of those whose
 * stored row has other values that no newer delivery wrote. Parameter: the commit's sha.
 */
export function compareStaged(kind: Kind, { isOrdered }: UpsertOptions): string {
  const columns = [...dimensionFields(kind).map(({ name }) => name), ...measuredColumns(kind)]
  return `
    ${isOrdered ? `WITH ${newerIds(kind.table)}` : ''}
    SELECT count(*)::int AS ids, count(*) FILTER (WHERE same IS NULL)::int AS missing,
      count(*) FILTER (WHERE NOT same AND NOT is_kept)::int AS differing
    FROM (
      SELECT ${fromStored(kind, `NOT ${differs(kind, columns)}`)} AS same, ${isOrdered ? KEEPS_STORED : 'false'} AS is_kept
      FROM ${lastStaged(kind)} OFFSET 0
    ) AS compared`
}

/**
 * Upserts rows that are passed as a parameter instead of a staging table. For a few rows, creating a staging table costs more
 * than writing the rows. Parameters: the commit's sha and timestamp, and the rows as COPY text without escapes and without the
 * final line feed. `OFFSET 0` keeps the planner from splitting each line again for every column.
 * @see writtenCounts
 */
export function upsertLines(kind: Kind, options = UNORDERED): string {
  const cells = [
    'cells[1]::bigint AS measurement_id',
    ...stagedFields(kind).map(({ name, type }, index) => `cells[${index + 2}]::${columnType(type)} AS ${name}`),
  ]
  const staged = `staged AS (
      SELECT ${cells.join(', ')}, line FROM (
        SELECT string_to_array(text, E'\\t', '\\N') AS cells, line
        FROM unnest(string_to_array($3::text, E'\\n')) WITH ORDINALITY AS lines (text, line)
        OFFSET 0
      ) AS split
    )`
  const queries = [
    ...(options.isOrdered ? [newerIds(kind.table)] : []),
    judgedRows(kind, lastOfEachId(kind, { rows: 'staged', order: 'line' }), options),
    ...(options.isOrdered ? [recordIds(kind.table, 'FROM latest WHERE NOT is_kept')] : []),
    upsertJudged(kind),
  ]
  return `WITH ${[staged, ...queries].join(', ')} ${writtenCounts(kind)}`
}

/**
 * A WITH query `latest` of the rows of a delivery, with two more columns. `found`: how the stored row compares, NULL when there is
 * none. `is_kept`: whether a stored row must not be overwritten. Stored rows are looked up one by one, because for a join the
 * planner would expect almost no rows of the commit and compare every pair.
 * @param rows a FROM clause with a relation named `latest` that has at most one row per id
 */
function judgedRows(kind: Kind, rows: string, { isOrdered }: UpsertOptions): string {
  const time = kind.hasCommitTimestamp ? `WHEN ${differs(kind, ['commit_timestamp'])} THEN 'other time' ` : ''
  const found = `CASE WHEN ${differs(kind, measuredColumns(kind))} THEN 'other values' ${time}ELSE 'same' END`
  return `latest AS MATERIALIZED (
      SELECT *, ${fromStored(kind, found)} AS found, ${isOrdered ? KEEPS_STORED : 'false'} AS is_kept FROM ${rows}
    )`
}

/** An SQL condition: a row of `judgedRows` is not stored, or is stored with other values that it may replace. */
const IS_WANTED = `(found IS NULL OR found <> 'same' AND NOT is_kept)`

/** A WITH query `written` that upserts the rows of `judgedRows`. @see contract section 4 */
function upsertJudged(kind: Kind): string {
  const overwritten = overwrittenColumns(kind).map(name => `${name} = excluded.${name}`)
  return `written AS (
      INSERT INTO public.${kind.table} AS stored (${[...columnValues(kind).keys()].join(', ')})
      ${rowsInOrder(kind, 'latest', IS_WANTED)}
      ON CONFLICT (measurement_id) DO UPDATE SET ${overwritten.join(', ')}
      RETURNING (xmax = 0) AS inserted
    )`
}

/**
 * Ends an upsert with one row of counts: `inserted` and `rewritten` rows, `ids`, the number of distinct ids, and `superseded`, the
 * number of rows that were left out because a newer delivery wrote other values. Fails when the database accepted rows of
 * `judgedRows` and did not store them.
 * @param added an SQL expression: the number of rows that were inserted without being judged
 * @see toRaisedError
 */
function writtenCounts({ table }: Kind, added = '0'): string {
  const notStored = raise(`'stored:${table}:' || ids || ':' || ids - wanted + inserted + rewritten`)
  return `
    SELECT inserted + ${added} AS inserted, rewritten, ids + ${added} AS ids, superseded,
      CASE WHEN inserted + rewritten <> wanted THEN ${notStored} END AS is_stored
    FROM (
      SELECT count(*) FILTER (WHERE inserted)::int AS inserted, count(*) FILTER (WHERE NOT inserted)::int AS rewritten FROM written
    ) AS counts, (
      SELECT count(*)::int AS ids, count(*) FILTER (WHERE ${IS_WANTED})::int AS wanted,
        count(*) FILTER (WHERE found = 'other values' AND is_kept)::int AS superseded
      FROM latest
    ) AS judged`
}

function overwrittenColumns(kind: Kind): readonly string[] {
  const keyColumns = new Set(['measurement_id', ...dimensionFields(kind).map(({ name }) => name)])
  return [...columnValues(kind).keys()].filter(column => !keyColumns.has(column))
}

/** The columns whose values come from the record. */
function measuredColumns(kind: Kind): readonly string[] {
  return overwrittenColumns(kind).filter(column => column !== 'commit_timestamp')
}

/** An SQL expression about the row `there` that is stored with the id of the row `latest`; NULL when there is none. */
function fromStored({ table }: Kind, expression: string): string {
  return `(SELECT ${expression} FROM public.${table} AS there WHERE there.measurement_id = latest.measurement_id)`
}

/** An SQL condition: the rows `there` and `latest` differ in a column. */
function differs(kind: Kind, columns: readonly string[]): string {
  const values = columnValues(kind)
  return `((${columns.map(name => `there.${name}`).join(', ')}) IS DISTINCT FROM (${columns.map(name => values.get(name)).join(', ')}))`
}

/**
 * A WITH query `added` that inserts rows none of which is stored yet. It returns a system column, so that a partitioned table, which
 * has none, is refused by the first insert and not only by a later update.
 * @param latest a relation named `latest` with at most one row per id
 * @param condition an SQL condition that the rows must meet
 */
function insertFrom(kind: Kind, latest: string, condition: string): string {
  return `added AS (
      INSERT INTO public.${kind.table} (${[...columnValues(kind).keys()].join(', ')})
      ${rowsInOrder(kind, latest, condition)}
      RETURNING (xmax = 0) AS inserted
    )`
}

/**
 * A SELECT of the rows to write, ordered by their dimensions. All writers use this order, so that they cannot deadlock, and
 * consecutive rows are close to each other in the table's indexes.
 */
function rowsInOrder(kind: Kind, latest: string, where: string): string {
  const order = [...dimensionFields(kind).map(orderExpression), 'latest.measurement_id']
  // Postgres rejects a statement that does not use all its parameters.
  const conditions = kind.hasCommitTimestamp ? where : `$2::text IS NOT NULL AND ${where}`
  return `SELECT ${[...columnValues(kind).values()].join(', ')} FROM ${latest} WHERE ${conditions} ORDER BY ${order.join(', ')}`
}

/** The SQL expression for each written column, by column name. */
function columnValues(kind: Kind): ReadonlyMap<string, string> {
  const staged = rowFields(kind).map(({ name }) => [name, `latest.${name}`] as const)
  return new Map([
    ['measurement_id', 'latest.measurement_id'],
    ...staged,
    ['commit_sha', '$1::text'],
    ...(kind.hasCommitTimestamp ? ([['commit_timestamp', '$2::timestamptz']] as const) : []),
  ])
}

function dimensionFields(kind: Kind): Kind['fields'] {
  return kind.fields.filter(field => field.dimension && field.name !== 'commit_sha')
}

/** Text is ordered by its bytes, because any fixed order will do and a language's collation is slower. */
function orderExpression({ name, type }: Field): string {
  return type === 'str' ? `latest.${name} COLLATE "C"` : `latest.${name}`
}
