/** Postgres as a store, with a few sessions that are opened on demand. */

import { setTimeout as sleep } from 'node:timers/promises'
import { IngestError } from '../../errors.js'
import { applyDelivery } from '../../database/apply.js'
import { databaseVersion } from '../../database/contract-version.js'
import { connectPostgres, type PostgresSession } from '../../database/postgres/connect.js'
import { describeAddress, type PostgresAddress } from '../../database/postgres/dsn.js'
import { isRetryable } from '../../database/postgres/errors.js'
import { assertRole, type RolePolicy } from '../../database/postgres/role.js'
import { CONFLICT_RETRY, withRetry } from '../../http/retry.js'
import type { SqlSession } from '../../database/sql.js'
import { SessionPool } from './session-pool.js'
import type { Store, StoreOptions } from './store.js'

/** Number of sessions for writing. More would not help, because writers of one commit wait for each other. */
const WRITERS = 4
/** Number of sessions for reading. They are separate because readers need no token and must not block writers. */
const READERS = 2
export type PostgresStoreOptions = StoreOptions & {
  /** The contract version of the server. The database must have all columns of that version. */
  readonly version: number
  readonly rolePolicy: RolePolicy
  readonly onWarning: (message: string) => void
}

/**
 * Connects once at the start, so that an unusable database stops the start and not the first request.
 * @throws {IngestError} `schema_version` when the database is older than the server
 */
export async function postgresStore(address: PostgresAddress, options: PostgresStoreOptions): Promise<Store> {
  const { signal, random, version, rolePolicy, onWarning } = options
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
  const description = describeAddress(address)
  try {
    await writers.use(session => assertUsable(session, version, description))
  } catch (error) {
    // An open session would keep the process from exiting.
    await writers.close()
    throw error
  }
  const sleepFor = (delayMs: number): Promise<void> => sleep(delayMs, undefined, { signal })
  const tools = { random, sleep: sleepFor, now: () => performance.now() }
  const retrying = { policy: CONFLICT_RETRY, tools, onRetry: () => undefined }
  return {
    ...{ kind: 'postgres', description, sessions: writers.size },
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

/** @throws {IngestError} when the tables are missing or have an older contract version than the server */
async function assertUsable(session: SqlSession, server: number, description: string): Promise<void> {
  await session.query('SELECT commit_sha FROM public.commits LIMIT 1')
  const database = await databaseVersion(session)
  if (database >= server) return
  const message = `${description} is at contract version ${database}, older than version ${server} of the server`
  const hint = `migrate the database with \`vortex-ingest migrate\`, or serve with --contract ${database}`
  throw new IngestError('schema_version', message, { hint })
}

/** Allows one retry after a lost connection, because an idle session may have been lost unnoticed. */
class FirstLoss {
  #met = false

  passes(error: unknown): boolean {
    const first = !this.#met && error instanceof IngestError && error.code === 'target_unreachable'
    this.#met ||= first
    return first
  }
}
