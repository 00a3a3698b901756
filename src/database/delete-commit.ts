/**
 * Deletes the records of a commit, or of one of its runs, and what the schema `vortex_ingest` knows of their deliveries, so that
 * a later push of the commit is stored like the first one.
 */

import { CONTRACT, type Kind } from '../contract/kinds.js'
import { IngestError } from '../errors.js'
import { BEGIN, inSnapshot, inTransaction, type SqlSession } from './session.js'

export type DeletedRecords = {
  /** Number of records by kind name. Kinds without records are left out. */
  readonly counts: ReadonlyMap<string, number>
  /** Whether the commit itself is stored. It is deleted with all of its records. */
  readonly hasCommit: boolean
  /** The deliveries that wrote the records, as far as they are known. */
  readonly deliveries: readonly string[]
}

export type Deletion = {
  readonly commit: string
  /** Only what this CI run wrote last: its `benchmark_id`, its number, or its number and attempt such as `7.2`. */
  readonly run?: string | undefined
}

export type DeletionNote = {
  readonly reason: string | undefined
  /** The person, as `user@host`. */
  readonly deletedBy: string
}

/** Whether there is nothing to delete. A commit without records is deleted, too. */
export function isNothing({ counts, hasCommit }: DeletedRecords, { run }: Deletion): boolean {
  return counts.size === 0 && (run !== undefined || !hasCommit)
}

/** Counts what `deleteRecords` would delete. Only reads. */
export function countDeletion(session: SqlSession, deletion: Deletion): Promise<DeletedRecords> {
  return inSnapshot(session, () =>
    run(session, deletion, kind => `SELECT count(*)::text AS records FROM public.${kind.table}`),
  )
}

/**
 * Deletes in one transaction. Deliveries and deletions of the commit wait for each other.
 * @throws {IngestError} `auth_failed` when the role may not delete, `target_misconfigured` without the table of deletions
 */
export async function deleteRecords(
  session: SqlSession,
  deletion: Deletion,
  note: DeletionNote,
): Promise<DeletedRecords> {
  await assertMayDelete(session)
  return inTransaction(session, BEGIN, async () => {
    await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))', [deletion.commit])
    const isOrdered = await hasDeliveries(session)
    const deleted = await run(session, deletion, kind => `DELETE FROM public.${kind.table}`)
    if (isOrdered)
      for (const table of ['delivered_ids', 'deliveries'])
        await session.query(`DELETE FROM vortex_ingest.${table} WHERE delivery_id = ANY($1::text[])`, [
          deleted.deliveries,
        ])
    if (deletion.run === undefined)
      await session.query('DELETE FROM public.commits WHERE commit_sha = $1::text', [deletion.commit])
    if (!isNothing(deleted, deletion)) await recordDeletion(session, { deletion, deleted, note })
    return deleted
  })
}

type Statement = (kind: Kind) => string

/** @param statement begins a query that counts or deletes the rows of a kind */
async function run(session: SqlSession, deletion: Deletion, statement: Statement): Promise<DeletedRecords> {
  const deliveries = await findDeliveries(session, deletion)
  const counts = new Map<string, number>()
  for (const kind of CONTRACT.kinds) {
    const text = `${statement(kind)} WHERE ${condition(kind, deletion)}`
    const values = deletion.run === undefined ? [deletion.commit] : [deletion.commit, deliveries]
    const records = await countRows(session, text, values)
    if (records > 0) counts.set(kind.kind, records)
  }
  const commits = await session.query('SELECT commit_sha FROM public.commits WHERE commit_sha = $1::text', [
    deletion.commit,
  ])
  return { counts, hasCommit: commits.length > 0, deliveries }
}

async function countRows(session: SqlSession, text: string, values: readonly unknown[]): Promise<number> {
  const counted = text.startsWith('DELETE')
    ? `WITH deleted AS (${text} RETURNING true) SELECT count(*)::text AS records FROM deleted`
    : text
  const [row] = await session.query<{ records: string }>(counted, values)
  return Number(row!.records)
}

/** An SQL condition for the rows of a deletion. Of a run, these are the rows that one of its deliveries $2 wrote last. */
function condition({ table }: Kind, { run }: Deletion): string {
  if (run === undefined) return 'commit_sha = $1::text'
  return `commit_sha = $1::text AND measurement_id IN (
      SELECT id FROM (
        SELECT DISTINCT ON (id) id, delivery_id
        FROM vortex_ingest.deliveries JOIN vortex_ingest.delivered_ids USING (delivery_id), unnest(ids) AS id
        WHERE commit_sha = $1::text AND table_name = '${table}' ORDER BY id, applied_at DESC, delivery_id DESC
      ) AS written WHERE delivery_id = ANY($2::text[])
    )`
}

/** @throws {IngestError} `usage` when a run is asked for and the deliveries do not tell it */
async function findDeliveries(session: SqlSession, { commit, run }: Deletion): Promise<readonly string[]> {
  if (!(await hasDeliveries(session))) {
    if (run === undefined) return []
    throw new IngestError('target_misconfigured', 'the database does not tell the runs of a commit apart', {
      hint: 'leave --run out to delete all records of the commit',
    })
  }
  const text = `
    SELECT delivery_id, producer, to_jsonb(deliveries) ->> 'benchmark_id' AS name, run::text, attempt::text
    FROM vortex_ingest.deliveries WHERE commit_sha = $1::text`
  const found = await session.query<DeliveryRow>(text, [commit])
  const chosen = run === undefined ? found : found.filter(row => runNames(row).includes(run))
  const producers = [...new Set(chosen.map(({ producer }) => producer))]
  if (run !== undefined && producers.length > 1)
    throw new IngestError('usage', `--run ${run} is a run of ${producers.join(' and of ')}`, {
      hint: 'give the benchmark id of the run, as `vortex-ingest lineage` shows it',
    })
  return chosen.map(({ delivery_id }) => delivery_id)
}

type DeliveryRow = Readonly<Record<'delivery_id', string>> &
  Readonly<Record<'producer' | 'name' | 'run' | 'attempt', string | null>>

function runNames({ name, run, attempt }: DeliveryRow): readonly (string | null)[] {
  return [name, run, `${run}.${attempt}`]
}

async function hasDeliveries(session: SqlSession): Promise<boolean> {
  const [found] = await session.query<{ may: boolean }>(
    `SELECT coalesce(bool_and(has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(oid, 'SELECT')), false) AS may
    FROM pg_catalog.pg_class WHERE oid IN (to_regclass('vortex_ingest.deliveries'), to_regclass('vortex_ingest.delivered_ids'))`,
  )
  return found!.may
}

/** Checks all rights before anything is deleted. */
async function assertMayDelete(session: SqlSession): Promise<void> {
  const tables = ['public.commits', ...CONTRACT.kinds.map(({ table }) => `public.${table}`)]
  const own = ['vortex_ingest.deliveries', 'vortex_ingest.delivered_ids']
  const [facts] = await session.query<RoleFacts>(
    `SELECT current_user::text AS role,
      (SELECT oid FROM pg_catalog.pg_class WHERE relname = 'deletions' AND relnamespace = to_regnamespace('vortex_ingest')) IS NOT NULL AS "hasTable",
      ARRAY(
        SELECT relnamespace::regnamespace || '.' || relname FROM pg_catalog.pg_class
        WHERE relkind IN ('r', 'p') AND relnamespace IN ('public'::regnamespace, to_regnamespace('vortex_ingest'))
          AND (relnamespace::regnamespace || '.' || relname = ANY($1::text[]) AND NOT has_table_privilege(oid, 'DELETE')
            OR relnamespace::regnamespace || '.' || relname = 'vortex_ingest.deletions' AND NOT has_table_privilege(oid, 'INSERT'))
        ORDER BY 1
      ) AS missing`,
    [[...tables, ...own]],
  )
  const { role, hasTable, missing } = facts!
  if (role === 'bench_ingest' || missing.length > 0) throw mayNotDeleteError(role, missing)
  if (!hasTable)
    throw new IngestError(
      'target_misconfigured',
      'the database has no table vortex_ingest.deletions for the record of a deletion',
      {
        hint: 'run `vortex-ingest migrate --ordering` as the owner of the database',
      },
    )
}

type RoleFacts = { readonly role: string; readonly hasTable: boolean; readonly missing: readonly string[] }

function mayNotDeleteError(role: string, missing: readonly string[]): IngestError {
  const reason = role === 'bench_ingest' ? 'which only writes records' : `it has no right to ${missing.join(', ')}`
  return new IngestError('auth_failed', `the role ${role} may not delete: ${reason}`, {
    hint: 'log in as bench_delete, which `vortex-ingest migrate` creates (docs/data.md)',
  })
}

type Recorded = { readonly deletion: Deletion; readonly deleted: DeletedRecords; readonly note: DeletionNote }

async function recordDeletion(session: SqlSession, { deletion, deleted, note }: Recorded): Promise<void> {
  const text = `
    INSERT INTO vortex_ingest.deletions (commit_sha, run, records, deliveries, reason, deleted_by)
    VALUES ($1::text, $2::text, $3::jsonb, $4::text[], $5::text, $6::text)`
  const records = JSON.stringify(Object.fromEntries(deleted.counts))
  const { commit, run } = deletion
  await session.query(text, [commit, run ?? null, records, deleted.deliveries, note.reason ?? null, note.deletedBy])
}
