/** Reads and writes accepted changes in the table `vortex_ingest.accepted_changes`. */

import type { AcceptedChange, Act } from '../../analysis/accepted-change.js'
import type { SqlSession } from '../session.js'
import { utcText } from './rows.js'

const TABLE = 'vortex_ingest.accepted_changes'

/** Whether the table exists, and the role may read it, or also write it. */
export async function acceptedChangesAccess(session: SqlSession): Promise<'none' | 'read' | 'write'> {
  const may = (right: string): string => `coalesce(has_table_privilege(to_regclass('${TABLE}'), '${right}'), false)`
  const [row] = await session.query<{ readonly mayRead: boolean; readonly mayWrite: boolean }>(
    `SELECT ${may('SELECT')} AS "mayRead", ${may('INSERT')} AND ${may('UPDATE')} AS "mayWrite"`,
  )
  if (row?.mayRead !== true) return 'none'
  return row.mayWrite ? 'write' : 'read'
}

type Row = {
  readonly acceptance_id: string
  readonly commit_sha: string
  readonly series: readonly string[]
  readonly note: string
  readonly accepted_by: string
  readonly accepted_at: string
  readonly withdrawn_by: string | null
  readonly withdrawn_at: string | null
}

/** All accepted changes, newest first; empty where the table is missing or may not be read. */
export async function readAcceptedChanges(session: SqlSession): Promise<readonly AcceptedChange[]> {
  if ((await acceptedChangesAccess(session)) === 'none') return []
  const rows = await session.query<Row>(
    `SELECT acceptance_id, commit_sha, to_json(series) AS series, note, accepted_by, withdrawn_by,
      ${utcText('accepted_at')}, ${utcText('withdrawn_at')}
    FROM ${TABLE} ORDER BY acceptance_id DESC`,
  )
  return rows.map(({ acceptance_id: id, commit_sha: commit, series, note, ...row }) => ({
    ...{ id, commit, series, note, by: row.accepted_by, at: row.accepted_at },
    withdrawn:
      row.withdrawn_by === null || row.withdrawn_at === null
        ? undefined
        : { by: row.withdrawn_by, at: row.withdrawn_at },
  }))
}

export async function insertAcceptedChange(session: SqlSession, accepted: AcceptedChange): Promise<void> {
  const { id, commit, series, note, by, at } = accepted
  await session.query(
    `INSERT INTO ${TABLE} (acceptance_id, commit_sha, series, note, accepted_by, accepted_at)
    VALUES ($1::text, $2::text, $3::text[], $4::text, $5::text, $6::timestamptz)`,
    [id, commit, series, note, by, at],
  )
}

/** Marks accepted changes as withdrawn, unless they already are. */
export async function withdrawAcceptedChanges(
  session: SqlSession,
  ids: readonly string[],
  { by, at }: Act,
): Promise<void> {
  await session.query(
    `UPDATE ${TABLE} SET withdrawn_by = $2::text, withdrawn_at = $3::timestamptz
    WHERE acceptance_id = ANY ($1::text[]) AND withdrawn_at IS NULL`,
    [ids, by, at],
  )
}
