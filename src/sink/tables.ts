/** SQL text made from the contract table. */

import { COMMIT_FIELDS, type Commit } from '../contract/commit.js'
import { CONTRACT, type Field, type FieldType, type Kind } from '../contract/kinds.js'
import { utcTimestamp } from '../contract/timestamp.js'
import { columnProbes } from './contract-version.js'
import { BEGIN } from './sql.js'
import { DEFAULT_WORK_MEM_MIB } from './tunables.js'

export const SQL_TYPES: Readonly<Record<FieldType, string>> = {
  str: 'text',
  i32: 'integer',
  i64: 'bigint',
  f64: 'double precision',
  '[i64]': 'bigint[]',
}

/**
 * The record's columns that differ from row to row: every record of a file has the same commit. Rows are staged with the
 * fields of all contract versions; the statements below write the columns of the version that they are given.
 */
export function stagedFields({ kind }: Kind): Kind['fields'] {
  return rowFields(CONTRACT.kinds.find(({ kind: name }) => name === kind)!)
}

function rowFields(kind: Kind): Kind['fields'] {
  return kind.fields.filter(field => field.name !== 'commit_sha')
}

/** Columns of the staging table, in COPY order. */
export function stagingColumns(kind: Kind): readonly string[] {
  return ['measurement_id', ...stagedFields(kind).map(field => field.name)]
}

/** Leaves out rows that only a dimension tells apart which the kind of an older contract version does not have. */
function isKnown(kind: Kind): string {
  const names = new Set(kind.fields.map(({ name }) => name))
  const unknown = stagedFields(kind).filter(({ name, dimension }) => dimension && !names.has(name))
  if (unknown.length === 0) return 'true'
  return unknown.map(({ name, conditional }) => `coalesce(${name} = '${conditional ?? ''}', true)`).join(' AND ')
}

export function stagingTable(kind: Kind): string {
  return `staged_${kind.table}`
}

/**
 * Begins a transaction with a staging table for each kind.
 * @param workMemMiB memory that the database may use to sort the rows, in MiB
 */
export function beginStaging(kinds: readonly Kind[], workMemMiB = DEFAULT_WORK_MEM_MIB): string {
  const memory = `SET LOCAL work_mem = '${workMemMiB}MB'`
  return [BEGIN, ...columnProbes(kinds), memory, ...kinds.map(createStaging)].join('; ')
}

function createStaging(kind: Kind): string {
  const columns = stagedFields(kind).map(field => `${field.name} ${SQL_TYPES[field.type]}`)
  return `CREATE TEMP TABLE ${stagingTable(kind)} (measurement_id bigint, ${columns.join(', ')}) ON COMMIT DROP`
}

/**
 * Moves a kind's staged rows into its table. Parameters: the commit's sha and timestamp. Answers one row: `inserted`,
 * `rewritten`.
 * @see upsertFrom
 */
export function upsertStaged(kind: Kind): string {
  return `WITH ${upsertFrom(kind, latestStaged(kind))} SELECT ${WRITTEN_COUNTS} FROM written`
}

/**
 * The same, but rows of a commit that `upsertCommit` has added just before go in without being looked up, by a fifth
 * faster: only a writer that did without the commit can have stored one. Then it fails with SQLSTATE 23505.
 */
export function insertOrUpsertStaged(kind: Kind): string {
  const latest = latestStaged(kind)
  return `
    WITH ${insertFrom(kind, latest, IS_NEW_COMMIT)}, ${upsertFrom(kind, latest, `NOT ${IS_NEW_COMMIT}`)}, counted AS (
      SELECT ${WRITTEN_COUNTS} FROM written
    )
    SELECT inserted + (SELECT count(*)::int FROM added) AS inserted, rewritten FROM counted`
}

function latestStaged(kind: Kind): string {
  return `(
        SELECT DISTINCT ON (measurement_id) * FROM ${stagingTable(kind)} WHERE ${isKnown(kind)}
        ORDER BY measurement_id, ctid DESC
      ) AS latest`
}

/**
 * The same for a few rows without a staging table, which costs round trips and, in the server's catalog, more than the
 * rows. Parameters: the commit's sha and timestamp, the rows as COPY text without escapes and without its last line feed.
 * Answers `ids`, too: how many different ones came. OFFSET is there for the planner, which would else split a line anew
 * for each of its columns.
 */
export function upsertLines(kind: Kind): string {
  const cells = [
    'cells[1]::bigint AS measurement_id',
    ...stagedFields(kind).map(({ name, type }, index) => `cells[${index + 2}]::${SQL_TYPES[type]} AS ${name}`),
  ]
  return `
    WITH staged AS (
      SELECT ${cells.join(', ')}, line FROM (
        SELECT string_to_array(text, E'\\t', '\\N') AS cells, line
        FROM unnest(string_to_array($3::text, E'\\n')) WITH ORDINALITY AS lines (text, line)
        OFFSET 0
      ) AS split
    ), latest AS MATERIALIZED (
      SELECT DISTINCT ON (measurement_id) * FROM staged WHERE ${isKnown(kind)} ORDER BY measurement_id, line DESC
    ), ${upsertFrom(kind, 'latest')}
    SELECT ${WRITTEN_COUNTS}, (SELECT count(*)::int FROM latest) AS ids FROM written`
}

const WRITTEN_COUNTS =
  'count(*) FILTER (WHERE inserted)::int AS inserted, count(*) FILTER (WHERE NOT inserted)::int AS rewritten'

/**
 * The upsert that rows go through, as a part of a statement: of several with one id `latest` has the last one, rows that
 * are there exactly so already are left alone. What is there is looked up row by row: of a join the planner would expect
 * next to no rows of the commit, and compare every pair of them.
 * @param latest a relation of that name @param when a condition on all of it @see contract section 4
 */
function upsertFrom(kind: Kind, latest: string, when = 'true'): string {
  const values = valuesOf(kind)
  const kept = new Set(['measurement_id', ...dimensionsOf(kind).map(({ name }) => name)])
  const overwritten = [...values.keys()].filter(column => !kept.has(column))
  const isThere = `(
        SELECT (${overwritten.map(name => `there.${name}`).join(', ')})
          IS NOT DISTINCT FROM (${overwritten.map(name => values.get(name)).join(', ')})
        FROM public.${kind.table} AS there WHERE there.measurement_id = latest.measurement_id
      )`
  return `written AS (
      INSERT INTO public.${kind.table} AS stored (${[...values.keys()].join(', ')})
      ${rowsInOrder(kind, latest, `${when} AND ${isThere} IS NOT TRUE`)}
      ON CONFLICT (measurement_id) DO UPDATE SET ${overwritten.map(name => `${name} = excluded.${name}`).join(', ')}
      RETURNING (xmax = 0) AS inserted
    )`
}

/**
 * Rows none of which is there, as a part of a statement.
 * @param latest a relation of that name @param when a condition on all of it
 */
function insertFrom(kind: Kind, latest: string, when: string): string {
  return `added AS (
      INSERT INTO public.${kind.table} (${[...valuesOf(kind).keys()].join(', ')})
      ${rowsInOrder(kind, latest, when)}
      RETURNING true
    )`
}

/**
 * In the order of their dimensions: one order for all writers, so that two cannot deadlock, and neighbours in it are
 * neighbours in the table's indexes.
 */
function rowsInOrder(kind: Kind, latest: string, where: string): string {
  const order = [...dimensionsOf(kind).map(inOrder), 'latest.measurement_id']
  // Every parameter has to occur.
  const conditions = isTimed(kind) ? where : `$2::text IS NOT NULL AND ${where}`
  return `SELECT ${[...valuesOf(kind).values()].join(', ')} FROM ${latest} WHERE ${conditions} ORDER BY ${order.join(', ')}`
}

/** The expression that fills each column that is written. */
function valuesOf(kind: Kind): ReadonlyMap<string, string> {
  const staged = rowFields(kind).map(({ name }) => [name, `latest.${name}`] as const)
  return new Map([
    ['measurement_id', 'latest.measurement_id'],
    ...staged,
    ['commit_sha', '$1::text'],
    ...(isTimed(kind) ? ([['commit_timestamp', '$2::timestamptz']] as const) : []),
  ])
}

function isTimed({ table }: Kind): boolean {
  return table === 'query_measurements'
}

function dimensionsOf(kind: Kind): Kind['fields'] {
  return kind.fields.filter(field => field.dimension && field.name !== 'commit_sha')
}

/** Text by its bytes: which order it is does not matter, and a language's own costs more. */
function inOrder({ name, type }: Field): string {
  return type === 'str' ? `latest.${name} COLLATE "C"` : `latest.${name}`
}

export function countStagedIds(kind: Kind): string {
  const ids = `SELECT DISTINCT measurement_id FROM ${stagingTable(kind)} WHERE ${isKnown(kind)}`
  return `SELECT count(*)::int AS ids FROM (${ids}) AS staged`
}

/** A setting that lasts for the transaction: `true` when it added the commit. */
const NEW_COMMIT = 'vortex_ingest.new_commit'
/** A query of its own: asked once, not for each row. It fails where `upsertCommit` was not run before. */
const IS_NEW_COMMIT = `(SELECT current_setting('${NEW_COMMIT}')::boolean)`

/** A setting that lasts for the transaction: `true` when the commit was stored with another timestamp. */
const NEW_TIMESTAMP = 'vortex_ingest.new_timestamp'

/**
 * The commit as it is stored: its time in UTC and in whole microseconds. A time that an earlier version queued, before
 * the rule for times was this strict, is left to the database.
 */
export function storedCommit(commit: Commit): Commit {
  return { ...commit, timestamp: utcTimestamp(commit.timestamp) ?? commit.timestamp }
}

/**
 * Inserts or overwrites the commit's row. Two settings keep for the rest of the transaction whether the commit is new and
 * whether its timestamp changed. The second is set in the condition of the update, which sees the locked row as it was.
 * Parameters: the commit's fields in the order of COMMIT_FIELDS.
 */
export function upsertCommit(): string {
  const columns = COMMIT_FIELDS.map(field => (field === 'sha' ? 'commit_sha' : field))
  const overwritten = columns.slice(1).map(name => `${name} = excluded.${name}`)
  return `
    WITH written AS (
      INSERT INTO public.commits AS stored (${columns.join(', ')})
      VALUES (${columns.map((_, index) => `$${index + 1}`).join(', ')})
      ON CONFLICT (commit_sha) DO UPDATE SET ${overwritten.join(', ')}
      WHERE set_config(
        '${NEW_TIMESTAMP}', (stored.timestamp IS DISTINCT FROM excluded.timestamp)::text, true
      ) IS NOT NULL
      RETURNING (xmax = 0) AS inserted
    )
    SELECT set_config('${NEW_COMMIT}', inserted::text, true) FROM written`
}

/**
 * Gives the stored rows of the commit its timestamp, after the rows of a delivery are written. Reads no table unless
 * `upsertCommit` has changed the timestamp before in the same transaction. Parameters: the commit's sha and timestamp.
 */
export function updateCommitTimestamps(): string {
  // A setting of an earlier transaction on the connection is an empty string.
  return `
    UPDATE public.query_measurements SET commit_timestamp = $2::timestamptz
    WHERE (SELECT NULLIF(current_setting('${NEW_TIMESTAMP}', true), '')::boolean)
      AND commit_sha = $1::text AND commit_timestamp IS DISTINCT FROM $2::timestamptz`
}
