/** Postgres as a store: a few sessions, made when they are needed. */

import { setTimeout as sleep } from 'node:timers/promises'
import { IngestError } from '../../errors.js'
import { applyDelivery } from '../../sink/apply.js'
import { connectPostgres, type PostgresSession } from '../../sink/postgres/connect.js'
import { describeAddress, type PostgresAddress } from '../../sink/postgres/dsn.js'
import { isRetryable } from '../../sink/postgres/errors.js'
import { assertRole, type RolePolicy } from '../../sink/postgres/role.js'
import { CONFLICT_RETRY, withRetry } from '../../sink/retry.js'
import { SessionPool } from './session-pool.js'
import type { Store, StoreOptions } from './store.js'

/** Writers of one commit wait for each other anyway, and the database has other clients. */
const WRITERS = 4
/** Apart from the writers: whoever reads needs no token, and must not be in their way. */
const READERS = 2
export type PostgresStoreOptions = StoreOptions & {
  readonly rolePolicy: RolePolicy
  readonly onWarning: (message: string) => void
}

/** Connects once at the start, so that whatever is wrong with it is told now and not to the first client. */
export async function postgresStore(address: PostgresAddress, options: PostgresStoreOptions): Promise<Store> {
  const { signal, random, rolePolicy, onWarning } = options
  const connect = (): Promise<PostgresSession> => connectPostgres(address, { signal })
  const writers = new SessionPool(WRITERS, async () => {
    const session = await connect()
    try {
      await assertRole(session, rolePolicy, onWarning)
      return session
    } catch (error) {
      await session.close()
      throw error
    }
  })
  const readers = new SessionPool(READERS, connect)
  await writers.use(session => session.query('SELECT commit_sha FROM public.commits LIMIT 1'))
  const sleepFor = (delayMs: number): Promise<void> => sleep(delayMs, undefined, { signal })
  const tools = { random, sleep: sleepFor, now: () => performance.now() }
  const retrying = { policy: CONFLICT_RETRY, tools, onRetry: () => undefined }
  return {
    ...{ kind: 'postgres', description: describeAddress(address), sessions: writers.size },
    write: async delivery => {
      const loss = new FirstLoss()
      const apply = (): ReturnType<typeof applyDelivery> => writers.use(session => applyDelivery(session, delivery))
      const mayRetry = (error: unknown): boolean => isRetryable(error) || loss.passes(error)
      return withRetry(apply, { ...retrying, mayRetry })
    },
    read: async work => {
      const loss = new FirstLoss()
      const mayRetry = (error: unknown): boolean => loss.passes(error)
      return withRetry(() => readers.use(work), { ...retrying, mayRetry })
    },
    close: async () => {
      await Promise.all([writers.close(), readers.close()])
    },
  }
}

/** An idle session may have been lost without anybody noticing; that, once, is no reason to fail. */
class FirstLoss {
  #met = false

  passes(error: unknown): boolean {
    const first = !this.#met && error instanceof IngestError && error.code === 'target_unreachable'
    this.#met ||= first
    return first
  }
}
