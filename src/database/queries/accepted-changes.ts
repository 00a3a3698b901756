/** Reads and writes accepted changes in the table `vortex_ingest.accepted_changes`. */

import type { AcceptedChange, Act } from '../../analysis/accepted-change.js'
import { BEGIN, inTransaction, type SqlSession } from '../session.js'
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

const COLUMNS = `acceptance_id, commit_sha, to_json(series) AS series, note, accepted_by, withdrawn_by,
    ${utcText('accepted_at')}, ${utcText('withdrawn_at')}`
const SELECT = `SELECT ${COLUMNS} FROM ${TABLE}`

type AcceptedPage = {
  /** Only accepted changes with a smaller id. */
  readonly after?: string | undefined
  /** Default: all. */
  readonly limit?: number
}

/** Accepted changes, newest first; empty where the table is missing or may not be read. */
export async function readAcceptedChanges(
  session: SqlSession,
  { after, limit }: AcceptedPage = {},
): Promise<readonly AcceptedChange[]> {
  if ((await acceptedChangesAccess(session)) === 'none') return []
  const where = 'WHERE $1::text IS NULL OR acceptance_id < $1::text ORDER BY acceptance_id DESC LIMIT $2::int'
  return toAcceptedChanges(await session.query<Row>(`${SELECT} ${where}`, [after ?? null, limit ?? null]))
}

/** @returns undefined when there is none with this id */
export async function readAcceptedChange(session: SqlSession, id: string): Promise<AcceptedChange | undefined> {
  const rows = await session.query<Row>(`${SELECT} WHERE acceptance_id = $1::text`, [id])
  return toAcceptedChanges(rows)[0]
}

function toAcceptedChanges(rows: readonly Row[]): readonly AcceptedChange[] {
  return rows.map(({ acceptance_id: id, commit_sha: commit, series, note, ...row }) => ({
    ...{ id, commit, series, note, by: row.accepted_by, at: row.accepted_at },
    withdrawn:
      row.withdrawn_by === null || row.withdrawn_at === null
        ? undefined
        : { by: row.withdrawn_by, at: row.withdrawn_at },
  }))
}

/**
 * Inserts an accepted change, unless the same person has accepted the same series of the commit with the same note.
 * @returns the accepted change that is stored
 */
export function insertAcceptedChange(session: SqlSession, accepted: AcceptedChange): Promise<AcceptedChange> {
  const { id, commit, series, note, by, at } = accepted
  const content = [commit, series, note, by]
  return inTransaction(session, BEGIN, async () => {
    // Without the lock, two that are inserted at the same time would not see each other.
    await session.execute(`LOCK TABLE ${TABLE} IN SHARE ROW EXCLUSIVE MODE`)
    const same = `commit_sha = $1::text AND series = $2::text[] AND note = $3::text AND accepted_by = $4::text`
    const rows = await session.query<Row>(`${SELECT} WHERE ${same} AND withdrawn_at IS NULL LIMIT 1`, content)
    const [known] = toAcceptedChanges(rows)
    if (known !== undefined) return known
    const added = await session.query<Row>(
      `INSERT INTO ${TABLE} (acceptance_id, commit_sha, series, note, accepted_by, accepted_at)
      VALUES ($5::text, $1::text, $2::text[], $3::text, $4::text, $6::timestamptz) RETURNING ${COLUMNS}`,
      [...content, id, at],
    )
    return toAcceptedChanges(added)[0]!
  })
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
