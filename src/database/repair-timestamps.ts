/** Repairs rows whose `commit_timestamp` disagrees with the timestamp of their commit. */

import type { SqlSession } from './session.js'

export type TimestampRepair = { readonly examined: number; readonly repaired: number }

export type RepairOptions = {
  /** Called after each committed batch with the totals so far. */
  readonly onBatch?: (soFar: TimestampRepair) => void
  readonly batchRows?: number
}

/** Rows per batch. A batch takes about a second, so an interruption loses little work. */
const BATCH_ROWS = 20_000

/**
 * Processes all query measurements in the order of their ids, in one transaction per batch. Rows without a stored commit are
 * not changed. Concurrent pushes are safe, and the repair may be interrupted and run again at any time.
 */
export async function repairTimestamps(session: SqlSession, options: RepairOptions = {}): Promise<TimestampRepair> {
  const { onBatch, batchRows = BATCH_ROWS } = options
  let sums: TimestampRepair = { examined: 0, repaired: 0 }
  let last: string | null | undefined
  while (last !== null) {
    const batch = await repairBatch(session, last, batchRows)
    sums = { examined: sums.examined + batch.examined, repaired: sums.repaired + batch.repaired }
    last = batch.last
    onBatch?.(sums)
  }
  return sums
}

type Batch = TimestampRepair & {
  /** The last id of the batch; null after the last row. */
  readonly last: string | null
}

async function repairBatch(session: SqlSession, after: string | undefined, batchRows: number): Promise<Batch> {
  const where = after === undefined ? '' : 'WHERE measurement_id > $2::bigint'
  const values = after === undefined ? [batchRows] : [batchRows, after]
  const [batch] = await session.query<Batch>(repairStatement(where), values)
  return batch ?? { examined: 0, repaired: 0, last: null }
}

/** The statement for one batch. It locks the commits, so that no push changes a timestamp between its reading and writing. */
function repairStatement(where: string): string {
  return `
    WITH examined AS MATERIALIZED (
      SELECT measurement_id, commit_sha, commit_timestamp FROM public.query_measurements ${where}
      ORDER BY measurement_id LIMIT $1::int
    ), wrong AS MATERIALIZED (
      SELECT measurement_id, commits.timestamp FROM examined JOIN public.commits USING (commit_sha)
      WHERE examined.commit_timestamp IS DISTINCT FROM commits.timestamp
      FOR SHARE OF commits
    ), repaired AS (
      UPDATE public.query_measurements AS stored SET commit_timestamp = wrong.timestamp
      FROM wrong WHERE stored.measurement_id = wrong.measurement_id
      RETURNING true
    )
    SELECT (SELECT count(*)::int FROM examined) AS examined, (SELECT count(*)::int FROM repaired) AS repaired,
      (SELECT max(measurement_id)::text FROM examined) AS last`
}
