/** Counts the rows of the contract's tables. */

import { EXPECTED_TABLES } from '../expected-schema.js'
import type { SqlSession } from '../session.js'

/** Tables larger than this are not counted when estimates are allowed. */
const COUNTED_BYTES = 64 * 1024 * 1024

export type RowCount = {
  /** Null when there is no estimate, because the table has been neither vacuumed nor analysed. */
  readonly rows: number | null
  readonly exact: boolean
}

/**
 * Counts the rows of every table, by table name.
 * @param exact whether large tables are counted, too, instead of answering the database's own estimate
 */
export async function countRows(
  session: SqlSession,
  { exact }: { readonly exact: boolean },
): Promise<ReadonlyMap<string, RowCount>> {
  const counts = new Map<string, RowCount>()
  for (const { name } of EXPECTED_TABLES)
    counts.set(name, exact ? await counted(session, name) : await countedOrEstimated(session, name))
  return counts
}

async function countedOrEstimated(session: SqlSession, table: string): Promise<RowCount> {
  const sizes = `SELECT pg_relation_size(oid)::text AS bytes, reltuples::bigint::text AS estimate FROM pg_class`
  const [size] = await session.query<{ bytes: string; estimate: string }>(
    `${sizes} WHERE oid = 'public.${table}'::regclass`,
  )
  if (Number(size?.bytes) > COUNTED_BYTES) {
    const estimate = Number(size?.estimate)
    return { rows: estimate < 0 ? null : estimate, exact: false }
  }
  return counted(session, table)
}

async function counted(session: SqlSession, table: string): Promise<RowCount> {
  const [row] = await session.query<{ rows: string }>(`SELECT count(*)::text AS rows FROM public.${table}`)
  return { rows: Number(row?.rows), exact: true }
}
