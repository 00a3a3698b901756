/** Whether the store answers, and how much it holds. */

import { CONTRACT, SCHEMA_VERSION } from '../../contract/kinds.js'
import type { Answer } from '../answer.js'
import type { SqlSession } from '../../sink/sql.js'
import type { Store } from '../store/store.js'

/** On a server shared with others, of a table larger than this its own estimate is told. */
const COUNTED_BYTES = 64 * 1024 * 1024

type Rows = { readonly rows: number | null; readonly exact: boolean }

/** @param onFailure is told why the store cannot be reached */
export async function health(store: Store, onFailure: (error: unknown) => void): Promise<Answer> {
  const common = { schema_version: SCHEMA_VERSION, store: { kind: store.kind, reachable: true } }
  try {
    const counts = await store.read(session => countTables(session, store.kind === 'embedded'))
    const rows = Object.fromEntries([...counts].map(([table, { rows }]) => [table, rows]))
    const estimated = [...counts].filter(([, { exact }]) => !exact).map(([table]) => table)
    return { status: 200, body: { status: 'ok', ...common, rows, estimated } }
  } catch (error) {
    onFailure(error)
    const body = { status: 'unavailable', ...common, store: { kind: store.kind, reachable: false } }
    return { status: 503, body: { error: 'store_unreachable', ...body } }
  }
}

async function countTables(session: SqlSession, all: boolean): Promise<ReadonlyMap<string, Rows>> {
  const counts = new Map<string, Rows>()
  for (const table of ['commits', ...CONTRACT.kinds.map(kind => kind.table)])
    counts.set(table, all ? await counted(session, table) : await countedOrEstimated(session, table))
  return counts
}

async function countedOrEstimated(session: SqlSession, table: string): Promise<Rows> {
  const sizes = `SELECT pg_relation_size(oid)::text AS bytes, reltuples::bigint::text AS estimate FROM pg_class`
  const [size] = await session.query<{ bytes: string; estimate: string }>(
    `${sizes} WHERE oid = 'public.${table}'::regclass`,
  )
  if (Number(size?.bytes) > COUNTED_BYTES) {
    // -1 as long as nothing has looked at the table.
    const estimate = Number(size?.estimate)
    return { rows: estimate < 0 ? null : estimate, exact: false }
  }
  return counted(session, table)
}

async function counted(session: SqlSession, table: string): Promise<Rows> {
  const [row] = await session.query<{ rows: string }>(`SELECT count(*)::text AS rows FROM public.${table}`)
  return { rows: Number(row?.rows), exact: true }
}
