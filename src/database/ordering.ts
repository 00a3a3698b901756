/**
 * SQL that keeps a late or repeated delivery from replacing newer values, in the tables of the schema `vortex_ingest`.
 * @see docs/adr/0023-generations.md
 */

import { CONTRACT, type Kind } from '../contract/kinds.js'
import type { Generation } from '../contract/generation.js'
import { IngestError, messageOf, sqlStateOf } from '../errors.js'
import type { DeliveryOrder, Fence } from '../source/delivery.js'
import type { SqlSession, Statement } from './session.js'

const TABLES = ['commits', ...CONTRACT.kinds.map(({ table }) => table)]

/** SQL that is true when the role may use all of these tables of the schema `vortex_ingest`. */
function mayWrite(...tables: readonly string[]): string {
  return `(
    SELECT count(*) = ${tables.length} AND bool_and(
      has_schema_privilege(pg_namespace.oid, 'USAGE')
      AND has_table_privilege(pg_class.oid, 'SELECT') AND has_table_privilege(pg_class.oid, 'INSERT')
      AND (relname IN ('deliveries', 'delivered_ids') OR has_table_privilege(pg_class.oid, 'UPDATE'))
    )
    FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'vortex_ingest' AND relname IN (${tables.map(table => `'${table}'`).join(', ')})
  )`
}

/**
 * A query with one row. `isOrdered`: the role may use the tables of the schema `vortex_ingest` that order deliveries.
 * `hasAncestry`: it may use the one for the parents of commits. `hasTriggers`: a table of the contract has triggers. It is sent
 * together with BEGIN to save a round trip.
 */
export const PROBE_DATABASE = `
  SELECT ${mayWrite('deliveries', 'delivered_ids', 'watermarks')} AS "isOrdered",
  ${mayWrite('commit_ancestry')} AS "hasAncestry", EXISTS (
    SELECT FROM pg_catalog.pg_trigger WHERE NOT tgisinternal
    AND tgrelid IN (${TABLES.map(table => `to_regclass('public.${table}')`).join(', ')})
  ) AS "hasTriggers"`

/** The answer to `PROBE_DATABASE`. */
export type DatabaseFacts = {
  readonly isOrdered: boolean
  readonly hasAncestry: boolean
  readonly hasTriggers: boolean
}

/** A transaction-local setting: the id of the delivery. */
const DELIVERY = `(SELECT current_setting('vortex_ingest.delivery'))`

/** An SQL condition: the delivery was applied before. */
export const IS_REPEATED = `(SELECT current_setting('vortex_ingest.is_repeated')::boolean)`

/** Whether the role may use the tables of the schema `vortex_ingest`. */
export async function hasOrdering(session: SqlSession): Promise<boolean> {
  return databaseFacts(await session.query(PROBE_DATABASE)).isOrdered
}

/** @param rows the answer to `PROBE_DATABASE` */
export function databaseFacts(rows: readonly object[]): DatabaseFacts {
  const [facts = { isOrdered: false, hasAncestry: false, hasTriggers: false }] = rows as readonly DatabaseFacts[]
  return facts
}

/**
 * The statements that precede a delivery's rows. Deliveries of one commit wait for each other at the first one. Each of the
 * following statements then sees what the delivery before it has committed.
 */
export function orderStatements(commitSha: string, order: DeliveryOrder): readonly Statement[] {
  const { deliveryId, fence, generation } = order
  const ci = generation?.ci
  const lock = { text: 'SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))', values: [commitSha] }
  const isForced = generation === undefined || generation.isForced === true
  const values = [deliveryId, commitSha, ci?.producer, ci?.run, ci?.attempt, generation?.producedAt, isForced]
  return [lock, ...(fence === undefined ? [] : [moveWatermark(fence)]), { text: REGISTER_DELIVERY, values }]
}

/**
 * A forced delivery, and one without a generation, gets a time after those of all other deliveries of the commit. No records were
 * read later than now, whatever the clock of their machine said.
 */
const REGISTER_DELIVERY = `
  WITH added AS (
    INSERT INTO vortex_ingest.deliveries (delivery_id, commit_sha, producer, run, attempt, produced_at)
    VALUES ($1::text, $2::text, $3::text, $4::bigint, $5::bigint, greatest(
      least($6::timestamptz, clock_timestamp()),
      (SELECT max(produced_at) + interval '1 microsecond' FROM vortex_ingest.deliveries WHERE $7::boolean AND commit_sha = $2::text)
    ))
    ON CONFLICT (delivery_id) DO NOTHING RETURNING true
  )
  SELECT set_config('vortex_ingest.delivery', $1::text, true),
    set_config('vortex_ingest.is_repeated', (NOT EXISTS (SELECT FROM added))::text, true)`

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

const IS_NEWER = `
  CASE WHEN other.producer = this.producer
  THEN (other.run, other.attempt, other.produced_at) > (this.run, this.attempt, this.produced_at)
  ELSE other.produced_at > this.produced_at END`

const NEWER_DELIVERIES = `
  FROM vortex_ingest.deliveries AS this JOIN vortex_ingest.deliveries AS other ON other.commit_sha = this.commit_sha
  AND ${IS_NEWER}`

/** An SQL condition: no newer delivery of the commit was applied, and this delivery was not applied before. */
export const IS_NEWEST = `NOT (
  ${IS_REPEATED} OR EXISTS (SELECT ${NEWER_DELIVERIES} WHERE this.delivery_id = ${DELIVERY})
)`

/** A WITH query `newer` of the measurements in a table that a newer delivery wrote. */
export function newerIds(table: string): string {
  return `newer AS MATERIALIZED (
      SELECT unnest(delivered.ids) AS measurement_id ${NEWER_DELIVERIES}
      JOIN vortex_ingest.delivered_ids AS delivered
      ON delivered.delivery_id = other.delivery_id AND delivered.table_name = '${table}'
      WHERE this.delivery_id = ${DELIVERY}
    )`
}

/** A generation of deliveries of a commit. */
export type CommitGeneration = { readonly commitSha: string; readonly generation: Generation }

const SUPERSEDED_IDS = `
  WITH this AS (SELECT $3::text AS producer, $4::bigint AS run, $5::bigint AS attempt, $6::timestamptz AS produced_at)
  SELECT DISTINCT id::text
  FROM this JOIN vortex_ingest.deliveries AS other ON other.commit_sha = $2::text AND ${IS_NEWER}
  JOIN vortex_ingest.delivered_ids AS delivered USING (delivery_id), unnest(delivered.ids) AS id
  WHERE delivered.table_name = $7::text AND id = ANY($1::bigint[])`

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
 * A WITH query that records the measurements which the delivery writes or confirms. Needs `newerIds`.
 * @param latest a relation named `latest` with the delivery's rows
 * @param condition an SQL condition that the rows must meet
 */
export function recordIds(table: string, latest: string, condition = 'true'): string {
  return `recorded AS (
      INSERT INTO vortex_ingest.delivered_ids (delivery_id, table_name, ids)
      SELECT ${DELIVERY}, '${table}', array_agg(latest.measurement_id) FROM ${latest}
      WHERE ${condition} AND NOT ${KEEPS_STORED} HAVING count(*) > 0
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
