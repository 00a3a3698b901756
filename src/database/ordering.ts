/**
 * SQL that keeps a late or repeated delivery from replacing newer values, in the tables of the schema `vortex_ingest`.
 * @see docs/adr/0023-generations.md
 */

import { CONTRACT, type Kind } from '../contract/kinds.js'
import { limitOrigin, type DeliveryOrigin } from '../contract/delivery-origin.js'
import type { Generation } from '../contract/generation.js'
import { IngestError, messageOf, sqlStateOf } from '../errors.js'
import type { DeliveryOrder, Fence } from '../source/delivery.js'
import { assertColumnTypes, columnList } from './column-types.js'
import type { SqlSession, Statement } from './session.js'

/** An SQL expression: the names of the tables of the schema `vortex_ingest` that the role may use. */
const USABLE_TABLES = `ARRAY(
    SELECT relname::text FROM pg_catalog.pg_class
    WHERE relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'vortex_ingest')
      AND relname IN ('deliveries', 'delivered_ids', 'watermarks', 'commit_ancestry')
      AND has_schema_privilege(relnamespace, 'USAGE')
      AND has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
      AND (relname IN ('deliveries', 'delivered_ids') OR has_table_privilege(oid, 'UPDATE'))
      AND (relname <> 'commit_ancestry' OR EXISTS (
        SELECT FROM pg_catalog.pg_attribute WHERE attrelid = pg_class.oid AND attname = 'is_pull_request'
      ))
  )`

/** An SQL expression: whether the table of deliveries has the columns for the origin of a delivery. */
const HAS_ORIGINS = `EXISTS (
    SELECT FROM pg_catalog.pg_attribute
    WHERE attname = 'sources' AND NOT attisdropped AND attrelid = (
      SELECT oid FROM pg_catalog.pg_class WHERE relname = 'deliveries'
        AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'vortex_ingest')
    )
  )`

const HAS_TRIGGERS = `EXISTS (
    SELECT FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND tgrelid IN (
      ${['commits', ...CONTRACT.kinds.map(({ table }) => table)].map(table => `to_regclass('public.${table}')`).join(', ')}
    )
  )`

/**
 * A query that reads what a delivery must know of the database. It is sent together with BEGIN to save a round trip.
 * @param kinds the kinds whose columns are read
 * @see databaseFacts
 */
export function databaseProbe(kinds: readonly Kind[]): string {
  return `SELECT ${USABLE_TABLES} AS "usableTables", ${HAS_ORIGINS} AS "hasOrigins", ${HAS_TRIGGERS} AS "hasTriggers",
    ${columnList(kinds)} AS columns`
}

type ProbeAnswer = {
  readonly usableTables: readonly string[]
  readonly hasOrigins: boolean
  readonly hasTriggers: boolean
  readonly columns: readonly string[]
}

export type DatabaseFacts = {
  /** Whether the role may use the tables of the schema `vortex_ingest` that order deliveries. */
  readonly isOrdered: boolean
  /** Whether the database stores where the records of a delivery come from. */
  readonly hasOrigins: boolean
  /** Whether the role may use the table for the parents of commits. */
  readonly hasAncestry: boolean
  /** Whether a table of the contract has triggers. */
  readonly hasTriggers: boolean
}

/**
 * @param rows the answer to `databaseProbe`
 * @throws {IngestError} `target_misconfigured` when a column cannot hold every value
 */
export function databaseFacts(rows: readonly object[]): DatabaseFacts {
  const [{ usableTables, hasOrigins, hasTriggers, columns }] = rows as readonly [ProbeAnswer]
  assertColumnTypes(columns)
  const isOrdered = mayOrder(usableTables)
  const hasAncestry = usableTables.includes('commit_ancestry')
  return { isOrdered, hasOrigins: isOrdered && hasOrigins, hasAncestry, hasTriggers }
}

/** Whether the role may use the tables of the schema `vortex_ingest` that order deliveries. */
export async function hasOrdering(session: SqlSession): Promise<boolean> {
  const [found] = await session.query<{ tables: readonly string[] }>(`SELECT ${USABLE_TABLES} AS tables`)
  return mayOrder(found!.tables)
}

/** Whether the table of deliveries has the columns for the origin of a delivery. */
export async function hasOriginColumns(session: SqlSession): Promise<boolean> {
  const [found] = await session.query<{ found: boolean }>(`SELECT ${HAS_ORIGINS} AS found`)
  return found!.found
}

function mayOrder(usableTables: readonly string[]): boolean {
  return ['deliveries', 'delivered_ids', 'watermarks'].every(table => usableTables.includes(table))
}

/** A transaction-local setting: the id of the delivery. */
const DELIVERY = `(SELECT current_setting('vortex_ingest.delivery'))`

/** A transaction-local setting, as an SQL condition: the delivery was applied before. */
const IS_REPEATED = `(SELECT current_setting('vortex_ingest.is_repeated')::boolean)`

/** A transaction-local setting: the ids of the newer deliveries of the commit. */
const NEWER_DELIVERIES = `current_setting('vortex_ingest.newer_deliveries')::text[]`

/**
 * The statements that precede a delivery's rows. Deliveries of one commit wait for each other at the first one. Each of the
 * following statements then sees what the delivery before it has committed.
 */
export function orderStatements(
  commitSha: string,
  { deliveryId, fence, generation }: DeliveryOrder,
  origin: StoredOrigin | undefined,
): readonly Statement[] {
  const ci = generation?.ci
  const lock = { text: 'SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))', values: [commitSha] }
  // A delivery without a generation is forced, because nothing tells how old it is.
  const isForced = generation === undefined || generation.isForced === true
  const values = [deliveryId, commitSha, ci?.producer, ci?.run, ci?.attempt, generation?.producedAt]
  const stored = origin === undefined ? [] : originValues(origin)
  const register = {
    text: registerDelivery(isForced, stored),
    values: [...values, ...stored.map(({ value }) => value)],
  }
  return [lock, ...(fence === undefined ? [] : [moveWatermark(fence)]), register]
}

/** Where the records of a delivery come from, and what is written of them. */
export type StoredOrigin = {
  readonly origin: DeliveryOrigin
  readonly contractVersion: number
  /** Number of records by kind. */
  readonly records: ReadonlyMap<string, number>
}

type ColumnValue = { readonly column: string; readonly type: string; readonly value: unknown }

function originValues({ origin, contractVersion, records }: StoredOrigin): readonly ColumnValue[] {
  const { benchmarkId, runUrl, tool, target, sources, sourceCount } = limitOrigin(origin)
  return [
    { column: 'benchmark_id', type: 'text', value: benchmarkId },
    { column: 'run_url', type: 'text', value: runUrl },
    { column: 'tool_version', type: 'text', value: tool },
    { column: 'target', type: 'text', value: target },
    { column: 'sources', type: 'jsonb', value: JSON.stringify(sources) },
    { column: 'source_count', type: 'integer', value: sourceCount },
    { column: 'contract_version', type: 'integer', value: contractVersion },
    { column: 'records', type: 'jsonb', value: JSON.stringify(Object.fromEntries(records)) },
  ]
}

/**
 * Records the delivery, and makes the settings that the following statements read. No records were read later than now, whatever
 * the clock of their machine said.
 * @param isForced gives the delivery a time after those of all other deliveries of the commit
 * @param origin further columns, whose values are the parameters from $7
 */
function registerDelivery(isForced: boolean, origin: readonly ColumnValue[]): string {
  const readAt = 'least($6::timestamptz, statement_timestamp())'
  const afterAll = (time: string): string => `(
      SELECT max(${time}) + interval '1 microsecond' FROM vortex_ingest.deliveries WHERE commit_sha = $2::text
    )`
  const producedAt = isForced ? `greatest(${readAt}, ${afterAll('produced_at')})` : readAt
  const columns = [
    'delivery_id, commit_sha, producer, run, attempt, produced_at, applied_at',
    ...origin.map(one => one.column),
  ]
  // Deliveries of a commit wait for each other before this statement. Their times follow each other whatever the clock does.
  const appliedAt = `greatest(clock_timestamp(), ${afterAll('applied_at')})`
  const fixed = ['$1::text, $2::text, $3::text, $4::bigint, $5::bigint', producedAt, appliedAt]
  const values = [...fixed, ...origin.map(({ type }, index) => `$${index + 7}::${type}`)]
  return `
    WITH added AS (
      INSERT INTO vortex_ingest.deliveries (${columns.join(', ')})
      VALUES (${values.join(', ')})
      ON CONFLICT (delivery_id) DO NOTHING RETURNING true
    )
    SELECT set_config('vortex_ingest.delivery', $1::text, true),
      set_config('vortex_ingest.is_repeated', (NOT EXISTS (SELECT FROM added))::text, true),
      set_config('vortex_ingest.newer_deliveries', ARRAY(
        SELECT delivery_id FROM vortex_ingest.deliveries WHERE ${isNewer(producedAt)}
      )::text, true)`
}

/**
 * An SQL condition: a row of `deliveries` is newer than the delivery of the parameters $2 to $5: commit, producer, run, attempt.
 * @param producedAt an SQL expression: when the records of that delivery were read
 */
function isNewer(producedAt: string): string {
  return `commit_sha = $2::text AND CASE WHEN producer = $3::text
          THEN (run, attempt, produced_at) > ($4::bigint, $5::bigint, ${producedAt})
          ELSE produced_at > ${producedAt} END`
}

/** Records the watermark and its fencing token. Fails when a later lease has written before. */
function moveWatermark({ watermarkId, targetId, partition, token, until }: Fence): Statement {
  const text = `
    WITH moved AS (
      INSERT INTO vortex_ingest.watermarks AS stored (watermark_id, target_id, partition, fencing_token, delivered_until)
      VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (watermark_id) DO UPDATE
      SET fencing_token = excluded.fencing_token, delivered_until = excluded.delivered_until, moved_at = now()
      WHERE stored.fencing_token <= excluded.fencing_token
      RETURNING true
    )
    SELECT CASE WHEN NOT EXISTS (SELECT FROM moved) THEN ${raise(`'overtaken:' || (
      SELECT fencing_token FROM vortex_ingest.watermarks WHERE watermark_id = $1
    )`)} END`
  return { text, values: [watermarkId, targetId, partition, token, until] }
}

/** An SQL condition: no newer delivery of the commit was applied, and this delivery was not applied before. */
export const IS_NEWEST = `NOT ${IS_REPEATED} AND ${NEWER_DELIVERIES} = '{}'`

/** A WITH query `newer` of the measurements in a table that a newer delivery wrote. */
export function newerIds(table: string): string {
  return `newer AS MATERIALIZED (
      SELECT unnest(ids) AS measurement_id FROM vortex_ingest.delivered_ids
      WHERE delivery_id = ANY (${NEWER_DELIVERIES}) AND table_name = '${table}'
    )`
}

/** A generation of deliveries of a commit. */
export type CommitGeneration = { readonly commitSha: string; readonly generation: Generation }

const SUPERSEDED_IDS = `
  SELECT DISTINCT id::text
  FROM vortex_ingest.deliveries JOIN vortex_ingest.delivered_ids USING (delivery_id), unnest(ids) AS id
  WHERE ${isNewer('$6::timestamptz')} AND table_name = $7::text AND id = ANY($1::bigint[])`

/** Those of some measurement ids that a delivery of a newer generation wrote or confirmed. Needs the schema `vortex_ingest`. */
export async function readSupersededIds(
  session: SqlSession,
  { table }: Kind,
  { ids, commitSha, generation }: CommitGeneration & { readonly ids: readonly string[] },
): Promise<ReadonlySet<string>> {
  const { ci, producedAt } = generation
  const values = [ids, commitSha, ci?.producer, ci?.run, ci?.attempt, producedAt, table]
  const rows = await session.query<{ id: string }>(SUPERSEDED_IDS, values)
  return new Set(rows.map(({ id }) => id))
}

/**
 * An SQL condition: the stored row with the id of the row `latest` must not be overwritten, because a newer delivery wrote it
 * or this delivery was applied before. Needs the WITH query of `newerIds`.
 */
export const KEEPS_STORED = `(${IS_REPEATED} OR latest.measurement_id IN (SELECT measurement_id FROM newer))`

/**
 * A WITH query that records the measurements which the delivery writes or confirms.
 * @param rows a FROM clause with the delivery's rows, and the conditions that they must meet
 */
export function recordIds(table: string, rows: string): string {
  return `recorded AS (
      INSERT INTO vortex_ingest.delivered_ids (delivery_id, table_name, ids)
      SELECT ${DELIVERY}, '${table}', array_agg(measurement_id) ${rows} HAVING count(*) > 0
      ON CONFLICT DO NOTHING
    )`
}

/**
 * Returns an SQL expression that fails with a text. It casts the text to boolean, because plain SQL has no other way to raise
 * an error with a chosen message.
 * @param text an SQL expression
 * @see toRaisedError
 */
export function raise(text: string): string {
  return `('vortex-ingest:' || ${text})::boolean`
}

/** Converts an error that `raise` caused. Returns every other error unchanged. */
export function toRaisedError(error: unknown): unknown {
  if (sqlStateOf(error) !== '22P02') return error
  const [what, ...parts] = (/"vortex-ingest:([^"]*)"/.exec(messageOf(error))?.[1] ?? '').split(':')
  if (what === 'overtaken') return new FencedError(Number(parts[0]), error)
  const [table = '', sent, stored] = parts
  return what === 'stored' ? notStoredError(table, { sent: Number(sent), stored: Number(stored) }) : error
}

/** A later lease has written to the target, so this delivery was refused. Nothing of it is stored. */
export class FencedError extends IngestError {
  constructor(
    readonly token: number,
    cause: unknown,
  ) {
    const hint = 'run this command again'
    super('queued', 'another process took over the delivery to this target, so nothing was written', { cause, hint })
  }
}

/** The error for rows that the database accepted and did not store. */
export function notStoredError(table: string, { sent, stored }: { sent: number; stored: number }): IngestError {
  const message = `public.${table} holds only ${stored} of the ${sent} rows that were sent; nothing was changed`
  const hint = 'a trigger, rule, policy or view on the table drops or changes rows: run `vortex-ingest doctor`'
  return new IngestError('target_refused', message, { hint })
}
