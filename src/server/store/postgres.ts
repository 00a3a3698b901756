/** Postgres as a store, with a few sessions that are opened on demand. */

import { IngestError } from '../../errors.js'
import { applyDelivery } from '../../database/apply.js'
import { assertTables, databaseVersion } from '../../database/contract-version.js'
import { hasOrdering } from '../../database/ordering.js'
import { connectPostgres, connectWriter } from '../../database/postgres/connect.js'
import { describeAddress, type PostgresAddress } from '../../database/postgres/dsn.js'
import type { RolePolicy } from '../../database/postgres/role.js'
import { retryTools, SessionPool } from '../../database/session-pool.js'
import type { SqlSession } from '../../database/session.js'
import { databaseStore, type Store } from './store.js'

/** Number of sessions for writing. More would not help, because writers of one commit wait for each other. */
const WRITERS = 4
/** Number of sessions for reading. They are separate because readers need no token and must not block writers. */
const READERS = 2

/** Allows one new connection after a lost one, because an idle session may have been lost unnoticed. */
const RECONNECT = { attempts: 2, baseDelayMs: 25, maxDelayMs: 2_000 }

export type PostgresStoreOptions = {
  /** Aborting makes all running work fail and roll back. */
  readonly signal: AbortSignal
  /** Returns a number from 0 to 1. */
  readonly random: () => number
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
  const retry = { reconnect: RECONNECT, tools: retryTools(random, signal) }
  const openWriter = () => connectWriter(address, { signal, rolePolicy, onWarning })
  const writers = new SessionPool({ size: WRITERS, open: openWriter, retry })
  const readers = new SessionPool({ size: READERS, open: () => connectPostgres(address, { signal }), retry })
  const description = describeAddress(address)
  try {
    const isOrdered = await writers.use(async session => {
      await assertUsable(session, version, description)
      return hasOrdering(session)
    })
    return databaseStore({ kind: 'postgres', description, isOrdered, writers, readers, apply: applyDelivery })
  } catch (error) {
    // An open session would keep the process from exiting.
    await writers.close()
    throw error
  }
}

/** @throws {IngestError} when the tables are missing or have an older contract version than the server */
async function assertUsable(session: SqlSession, server: number, description: string): Promise<void> {
  await assertTables(session)
  const database = await databaseVersion(session)
  if (database >= server) return
  const message = `${description} is at contract version ${database}, older than version ${server} of the server`
  const hint = `migrate the database with \`vortex-ingest migrate\`, or serve with --contract ${database}`
  throw new IngestError('schema_version', message, { hint })
}
