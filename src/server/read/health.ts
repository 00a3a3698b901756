/** `GET /health`: whether the store answers, and how many rows it holds. `GET /health?version`: the contract version. */

import type { FastifyInstance, FastifyReply } from 'fastify'
import { CONTRACT } from '../../contract/kinds.js'
import type { Answer } from '../answer.js'
import type { SqlSession } from '../../database/session.js'
import type { Store } from '../store/store.js'

/** Larger tables of a Postgres database are not counted. The answer has the database's own estimate instead. */
const COUNTED_BYTES = 64 * 1024 * 1024

type Rows = { readonly rows: number | null; readonly exact: boolean }

export type HealthOptions = {
  readonly store: Store
  /** The contract version of the server. */
  readonly version: number
  readonly send: (reply: FastifyReply, answer: Answer) => FastifyReply
  /** Called with the reason when the store cannot be reached. */
  readonly onUnreachable: (reply: FastifyReply, error: unknown) => void
}

export function addHealthRoute(app: FastifyInstance, { send, onUnreachable, ...options }: HealthOptions): void {
  app.get('/health', async (request, reply) => {
    // Every push asks for the version, so this answer must not cost a query.
    if ('version' in (request.query as object)) return send(reply, versionAnswer(options))
    return send(reply, await health({ ...options, onFailure: error => onUnreachable(reply, error) }))
  })
}

type Facts = Pick<HealthOptions, 'store' | 'version'>

function versionAnswer({ store, version }: Facts): Answer {
  return { status: 200, body: { schema_version: version, store: { kind: store.kind } } }
}

type Asking = Facts & { readonly onFailure: (error: unknown) => void }

async function health({ store, version, onFailure }: Asking): Promise<Answer> {
  const common = { schema_version: version, store: { kind: store.kind, reachable: true } }
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
    // The estimate is -1 until the table has been vacuumed or analysed.
    const estimate = Number(size?.estimate)
    return { rows: estimate < 0 ? null : estimate, exact: false }
  }
  return counted(session, table)
}

async function counted(session: SqlSession, table: string): Promise<Rows> {
  const [row] = await session.query<{ rows: string }>(`SELECT count(*)::text AS rows FROM public.${table}`)
  return { rows: Number(row?.rows), exact: true }
}
