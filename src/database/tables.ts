/** SQL statements for the contract's tables, generated from the contract. */

import { CONTRACT, type Field, type Kind } from '../contract/kinds.js'
import { columnType } from './column-types.js'
import { IS_NEW_COMMIT } from './commit-row.js'
import { columnProbes } from './contract-version.js'
import {
  IS_REPEATED,
  KEEPS_STORED,
  newerIds,
  PROBE_DATABASE,
  type DatabaseFacts,
  raise,
  recordIds,
} from './ordering.js'
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

/** Begins a transaction. The last statement is `PROBE_DATABASE`. */
export function beginDelivery(kinds: readonly Kind[]): string {
  return [BEGIN, ...columnProbes(kinds), PROBE_DATABASE].join('; ')
}

/**
 * Begins a transaction with a staging table for each kind. The last statement is `PROBE_DATABASE`.
 * @param workMemMiB memory in MiB that the database may use to sort the rows
 */
export function beginStaging(kinds: readonly Kind[], workMemMiB = DEFAULT_WORK_MEM_MIB): string {
  const memory = `SET LOCAL work_mem = '${workMemMiB}MB'`
  // The staging tables come first, because a standby then reports that it is read-only, whatever tables it has.
  return [BEGIN, memory, ...kinds.map(createStaging), ...columnProbes(kinds), PROBE_DATABASE].join('; ')
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
 * Upserts a kind's staged rows into its table. Parameters: the commit's sha and timestamp. Returns one row with the counts
 * `inserted` and `rewritten`.
 * @see upsertFrom
 */
export function upsertStaged(kind: Kind, options = UNORDERED): string {
  const queries = [...stagedOrder(kind, options), upsertFrom(kind, latestStaged(kind), isWritable(kind, options))]
  return `WITH ${queries.join(', ')} SELECT ${WRITTEN_COUNTS} FROM written`
}

/**
 * Like `upsertStaged`, but inserts without looking up stored rows when `upsertCommit` has just added the commit, which is a
 * fifth faster. Fails with SQLSTATE 23505 if rows of that commit are stored all the same; then use `upsertStaged`.
 */
export function insertOrUpsertStaged(kind: Kind, options = UNORDERED): string {
  const latest = latestStaged(kind)
  const writable = `NOT ${IS_NEW_COMMIT} AND ${isWritable(kind, options)}`
  const queries = [
    ...stagedOrder(kind, options),
    insertFrom(kind, latest, IS_NEW_COMMIT),
    upsertFrom(kind, latest, writable),
    `counted AS (SELECT ${WRITTEN_COUNTS} FROM written)`,
  ]
  return `
    WITH ${queries.join(', ')}
    SELECT inserted + (SELECT count(*)::int FROM added) AS inserted, rewritten FROM counted`
}

function stagedOrder(kind: Kind, { isOrdered }: UpsertOptions): readonly string[] {
  if (!isOrdered) return []
  return [newerIds(kind.table), recordIds(kind.table, `${stagingTable(kind)} AS latest`, hasOnlyKnownDimensions(kind))]
}

function latestStaged(kind: Kind): string {
  return `(
        SELECT DISTINCT ON (measurement_id) * FROM ${stagingTable(kind)} WHERE ${hasOnlyKnownDimensions(kind)}
        ORDER BY measurement_id, ctid DESC
      ) AS latest`
}

/**
 * Compares a kind's staged rows with the stored ones after the upsert. Returns one row with counts of distinct ids: `ids` of
 * all of them, `missing` of those without a stored row, `differing` of those whose stored row has other values, and
 * `superseded` of those whose other values a newer delivery wrote. Dimensions are compared only if triggers may have changed
 * them, because they follow from the id. Parameter: the commit's sha.
 */
export function compareStaged(
  kind: Kind,
  { isOrdered, hasTriggers }: Pick<DatabaseFacts, 'isOrdered' | 'hasTriggers'>,
): string {
  const superseded = isOrdered ? KEEPS_STORED : 'false'
  const dimensions = hasTriggers ? dimensionFields(kind).map(({ name }) => name) : []
  return `
    ${isOrdered ? `WITH ${newerIds(kind.table)}` : ''}
    SELECT count(*)::int AS ids, count(*) FILTER (WHERE same IS NULL)::int AS missing,
      count(*) FILTER (WHERE NOT same AND NOT superseded)::int AS differing,
      count(*) FILTER (WHERE NOT same AND superseded)::int AS superseded
    FROM (
      SELECT ${equalsStored(kind, [...dimensions, ...measuredColumns(kind)])} AS same, ${superseded} AS superseded
      FROM ${latestStaged(kind)} OFFSET 0
    ) AS compared`
}

/**
 * Upserts rows that are passed as a parameter instead of a staging table. For a few rows, creating a staging table costs more
 * than writing the rows. Parameters: the commit's sha and timestamp, and the rows as COPY text without escapes and without the
 * final line feed. Returns one row with the counts `inserted`, `rewritten`, `ids`, the number of distinct ids, and `superseded`,
 * the number of rows that were left out because a newer delivery wrote other values. Fails when the database accepts rows and
 * does not store them. `OFFSET 0` keeps the planner from splitting each line again for every column.
 * @see toRaisedError
 */
export function upsertLines(kind: Kind, options = UNORDERED): string {
  const { isOrdered } = options
  const cells = [
    'cells[1]::bigint AS measurement_id',
    ...stagedFields(kind).map(({ name, type }, index) => `cells[${index + 2}]::${columnType(type)} AS ${name}`),
  ]
  const order = isOrdered ? [newerIds(kind.table), recordIds(kind.table, 'latest')] : []
  const writable = `wanted AS MATERIALIZED (SELECT * FROM latest WHERE ${isWritable(kind, options)})`
  const superseded = `CASE WHEN ${IS_REPEATED} OR EXISTS (SELECT FROM newer) THEN (
      SELECT count(*)::int FROM latest WHERE NOT ${equalsStored(kind, measuredColumns(kind))} AND ${KEEPS_STORED}
    ) ELSE 0 END`
  // Stored rows are those that needed no write, and those that were written.
  return `
    WITH staged AS (
      SELECT ${cells.join(', ')}, line FROM (
        SELECT string_to_array(text, E'\\t', '\\N') AS cells, line
        FROM unnest(string_to_array($3::text, E'\\n')) WITH ORDINALITY AS lines (text, line)
        OFFSET 0
      ) AS split
    ), latest AS MATERIALIZED (
      SELECT DISTINCT ON (measurement_id) * FROM staged WHERE ${hasOnlyKnownDimensions(kind)} ORDER BY measurement_id, line DESC
    ), ${[...order, writable, upsertFrom(kind, 'wanted AS latest')].join(', ')}
    SELECT ${WRITTEN_COUNTS}, (SELECT count(*)::int FROM latest) AS ids, ${isOrdered ? superseded : '0'} AS superseded,
      CASE WHEN count(*) <> (SELECT count(*) FROM wanted) THEN ${raise(
        `'stored:${kind.table}:' || (SELECT count(*) FROM latest) || ':'
          || (SELECT count(*) FROM latest) - (SELECT count(*) FROM wanted) + count(*)`,
      )} END AS is_stored
    FROM written`
}

const WRITTEN_COUNTS =
  'count(*) FILTER (WHERE inserted)::int AS inserted, count(*) FILTER (WHERE NOT inserted)::int AS rewritten'

/**
 * A WITH query `written` that upserts rows.
 * @param latest a relation named `latest` with at most one row per id
 * @param condition an SQL condition that the rows must meet
 * @see contract section 4
 */
function upsertFrom(kind: Kind, latest: string, condition = 'true'): string {
  const overwritten = overwrittenColumns(kind).map(name => `${name} = excluded.${name}`)
  return `written AS (
      INSERT INTO public.${kind.table} AS stored (${[...columnValues(kind).keys()].join(', ')})
      ${rowsInOrder(kind, latest, condition)}
      ON CONFLICT (measurement_id) DO UPDATE SET ${overwritten.join(', ')}
      RETURNING (xmax = 0) AS inserted
    )`
}

function overwrittenColumns(kind: Kind): readonly string[] {
  const keyColumns = new Set(['measurement_id', ...dimensionFields(kind).map(({ name }) => name)])
  return [...columnValues(kind).keys()].filter(column => !keyColumns.has(column))
}

/** The columns whose values come from the record. */
function measuredColumns(kind: Kind): readonly string[] {
  return overwrittenColumns(kind).filter(column => column !== 'commit_timestamp')
}

/**
 * An SQL expression: whether the stored row with the id of the row `latest` has the same values; NULL when there is none. Stored
 * rows are looked up one by one, because for a join the planner would expect almost no rows of the commit and compare every pair.
 */
function equalsStored(kind: Kind, columns = overwrittenColumns(kind)): string {
  const values = columnValues(kind)
  return `(
        SELECT (${columns.map(name => `there.${name}`).join(', ')})
          IS NOT DISTINCT FROM (${columns.map(name => values.get(name)).join(', ')})
        FROM public.${kind.table} AS there WHERE there.measurement_id = latest.measurement_id
      )`
}

/** An SQL condition: the row `latest` is not stored, or is stored with other values that it may replace. */
function isWritable(kind: Kind, { isOrdered }: UpsertOptions): string {
  if (!isOrdered) return `${equalsStored(kind)} IS NOT TRUE`
  return `CASE ${equalsStored(kind)} WHEN true THEN false WHEN false THEN NOT ${KEEPS_STORED} ELSE true END`
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
