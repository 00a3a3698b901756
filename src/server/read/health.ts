/** `GET /health`: whether the store answers, and how many rows it holds. `GET /health?version`: the contract version. */

import type { FastifyInstance, FastifyReply } from 'fastify'
import { countRows } from '../../database/queries/server-facts.js'
import type { Answer } from '../answer.js'
import type { Store } from '../store/store.js'

export type HealthOptions = {
  readonly store: Store
  /** The contract version of the server. */
  readonly version: number
  readonly send: (reply: FastifyReply, answer: Answer) => FastifyReply
  /** Called with the reason when the store cannot be reached. */
  readonly onUnreachable: (reply: FastifyReply, error: unknown) => void
}

export function addHealthRoute(app: FastifyInstance, { send, onUnreachable, ...options }: HealthOptions): void {
  // Concurrent requests share one count, because anybody may request it at any rate.
  let counting: Promise<Answer> | undefined
  app.get('/health', async (request, reply) => {
    // Every push asks for the version, so this answer must not cost a query.
    if ('version' in (request.query as object)) return send(reply, versionAnswer(options))
    counting ??= health({ ...options, onFailure: error => onUnreachable(reply, error) }).finally(() => {
      counting = undefined
    })
    return send(reply, await counting)
  })
}

type Facts = Pick<HealthOptions, 'store' | 'version'>

function versionAnswer({ store, version }: Facts): Answer {
  return { status: 200, body: { schema_version: version, store: { kind: store.kind, ordered: store.isOrdered } } }
}

type Asking = Facts & { readonly onFailure: (error: unknown) => void }

async function health({ store, version, onFailure }: Asking): Promise<Answer> {
  const common = { schema_version: version, store: { kind: store.kind, ordered: store.isOrdered, reachable: true } }
  try {
    // Counting the large tables of a Postgres would take long, so their numbers of rows are estimated.
    const counts = await store.read(session => countRows(session, { exact: store.kind === 'embedded' }))
    const rows = Object.fromEntries([...counts].map(([table, { rows }]) => [table, rows]))
    const estimated = [...counts].filter(([, { exact }]) => !exact).map(([table]) => table)
    return { status: 200, body: { status: 'ok', ...common, rows, estimated } }
  } catch (error) {
    onFailure(error)
    const body = { status: 'unavailable', ...common, store: { ...common.store, reachable: false } }
    return { status: 503, body: { error: 'store_unreachable', ...body } }
  }
}
