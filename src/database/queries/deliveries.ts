/** Reads the deliveries of commits and measurements from the schema `vortex_ingest`. */

import type { DeliveryOrigin } from '../../contract/delivery-origin.js'
import { parseOrigin } from '../../contract/delivery-origin.js'
import type { CiAttempt } from '../../contract/generation.js'
import { CONTRACT, type Kind } from '../../contract/kinds.js'
import { storedKind } from '../contract-version.js'
import { hasOriginColumns } from '../ordering.js'
import type { SqlSession } from '../session.js'
import { groupCondition, groupSeriesFields, type MeasurementGroup } from './groups.js'
import { utcText, type TextRow } from './rows.js'

/** A delivery, as far as it is known where it is stored. */
export type StoredDelivery = {
  readonly id: string
  /** RFC 3339. */
  readonly producedAt?: string | undefined
  readonly appliedAt?: string | undefined
  readonly ci?: CiAttempt | undefined
  readonly origin?: DeliveryOrigin | undefined
  readonly contractVersion?: number | undefined
  /** Number of records that were sent, by kind. */
  readonly records?: Readonly<Record<string, number>> | undefined
  /** Number of those measurements that this delivery was the last to write or confirm. */
  readonly stored?: number | undefined
}

/** Whether the role may read the deliveries. */
export async function mayReadDeliveries(session: SqlSession): Promise<boolean> {
  const [found] = await session.query<{ tables: number }>(`
    SELECT count(*)::int AS tables FROM pg_catalog.pg_class
    WHERE relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'vortex_ingest')
      AND relname IN ('deliveries', 'delivered_ids')
      AND has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(oid, 'SELECT')`)
  return found!.tables === 2
}

/** A stored measurement: its kind and its commit. */
export type FoundMeasurement = { readonly id: string; readonly kind: Kind; readonly commit: string }

/** @returns undefined when no table has a row with this id */
export async function findMeasurement(session: SqlSession, id: string): Promise<FoundMeasurement | undefined> {
  for (const kind of CONTRACT.kinds) {
    const text = `SELECT commit_sha FROM public.${kind.table} WHERE measurement_id = $1::bigint`
    const [found] = await session.query<{ commit_sha: string }>(text, [id])
    if (found !== undefined) return { id, kind, commit: found.commit_sha }
  }
  return undefined
}

/** More deliveries of one commit than anybody reads. */
const MAX_DELIVERIES = 1_000

/**
 * Reads deliveries, the newest first. The last one that has a measurement wrote or confirmed its value, because a late delivery
 * does not record what newer ones wrote.
 * @param asked a commit, or one measurement of it
 */
export async function readDeliveries(
  session: SqlSession,
  asked: { readonly commit: string; readonly measurement?: Pick<FoundMeasurement, 'id' | 'kind'> | undefined },
): Promise<readonly StoredDelivery[]> {
  const { commit, measurement } = asked
  const written = lastWritten(measurement === undefined ? 'true' : `table_name = $2::text AND id = $3::bigint`)
  const only =
    measurement === undefined
      ? ''
      : `AND EXISTS (
      SELECT FROM vortex_ingest.delivered_ids AS ids WHERE ids.delivery_id = deliveries.delivery_id
        AND table_name = $2::text AND $3::bigint = ANY (ids)
    )`
  const text = `
    WITH written AS (${written})
    SELECT ${await deliveryColumns(session)},
      (SELECT count(*) FROM written WHERE written.delivery_id = deliveries.delivery_id)::text AS stored
    FROM vortex_ingest.deliveries WHERE commit_sha = $1::text ${only}
    ORDER BY deliveries.applied_at DESC, delivery_id DESC LIMIT ${MAX_DELIVERIES}`
  const values = measurement === undefined ? [commit] : [commit, measurement.kind.table, measurement.id]
  return (await session.query<TextRow>(text, values)).map(toDelivery)
}

/** SQL for the last delivery of each measurement of the commit $1. @param where an SQL condition for `table_name` and `id` */
function lastWritten(where: string): string {
  return `
      SELECT DISTINCT ON (table_name, id) delivery_id, id
      FROM vortex_ingest.deliveries JOIN vortex_ingest.delivered_ids USING (delivery_id), unnest(ids) AS id
      WHERE commit_sha = $1::text AND ${where} ORDER BY table_name, id, applied_at DESC, delivery_id DESC`
}

/** The series of a group whose values at a commit a delivery wrote last. */
export type DeliveredSeries = {
  readonly deliveryId: string
  /** Values of the `groupSeriesFields`. */
  readonly key: readonly string[]
}

const MAX_SERIES = 10_000

/** Reads which delivery wrote each value of a group at a commit. */
export async function readDeliveredSeries(
  session: SqlSession,
  commit: string,
  { kind: newest, values }: MeasurementGroup,
): Promise<readonly DeliveredSeries[]> {
  const kind = await storedKind(session, newest)
  const group = groupCondition({ kind, values }, 3)
  const names = groupSeriesFields(kind).map(({ name }) => `${name}::text AS ${name}`)
  const text = `
    WITH written AS (${lastWritten('table_name = $2::text')})
    SELECT delivery_id, ${names.join(', ')} FROM public.${kind.table} JOIN written ON id = measurement_id
    WHERE commit_sha = $1::text AND ${group.sql} LIMIT ${MAX_SERIES}`
  const rows = await session.query<TextRow>(text, [commit, kind.table, ...group.values])
  return rows.map(row => ({
    deliveryId: row['delivery_id'] ?? '',
    key: groupSeriesFields(newest).map(({ name, conditional }) => row[name] ?? conditional ?? ''),
  }))
}

const ORIGIN_COLUMNS = ['benchmark_id', 'run_url', 'tool_version', 'target', 'source_count', 'contract_version']

/** The columns of a delivery as text. Those for its origin are missing before migration 009. */
async function deliveryColumns(session: SqlSession): Promise<string> {
  const times = [utcText('produced_at'), utcText('applied_at')]
  const own = ['delivery_id', 'producer', 'run::text', 'attempt::text', ...times]
  const origin = [...ORIGIN_COLUMNS, 'sources', 'records'].map(name => `${name}::text`)
  return [...own, ...((await hasOriginColumns(session)) ? origin : [])].join(', ')
}

function toDelivery(row: TextRow): StoredDelivery {
  const number = (name: string): number | undefined => (row[name] == null ? undefined : Number(row[name]))
  const { producer, run, attempt, records } = row
  return {
    ...{ id: row['delivery_id'] ?? '', stored: Number(row['stored']), contractVersion: number('contract_version') },
    ...{ producedAt: row['produced_at'] ?? undefined, appliedAt: row['applied_at'] ?? undefined },
    ci: producer == null ? undefined : { producer, run: Number(run), attempt: Number(attempt) },
    records: records == null ? undefined : (JSON.parse(records) as Readonly<Record<string, number>>),
    origin: toOrigin(row),
  }
}

/** @returns undefined for a delivery before migration 009 */
function toOrigin(row: TextRow): DeliveryOrigin | undefined {
  if (row['sources'] == null) return undefined
  const texts = {
    benchmarkId: row['benchmark_id'],
    runUrl: row['run_url'],
    tool: row['tool_version'],
    target: row['target'],
  }
  const known = Object.fromEntries(Object.entries(texts).filter(([, text]) => text != null))
  const sources = JSON.parse(row['sources']) as unknown
  return parseOrigin(JSON.stringify({ ...known, sources, sourceCount: Number(row['source_count']) }))
}
