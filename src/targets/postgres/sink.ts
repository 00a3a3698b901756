/** The Postgres target (path B). */

import { connectWriter } from '../../database/postgres/connect.js'
import { describeAddress, postgresId, type PostgresAddress } from '../../database/postgres/dsn.js'
import { INGEST_ROLE, type RolePolicy } from '../../database/postgres/role.js'
import { databaseSink, type DatabaseSinkOptions } from '../database-sink.js'
import type { SinkOpener } from '../sink.js'

export type PostgresSinkOptions = DatabaseSinkOptions & {
  readonly random: () => number
  /** Which roles may write. Default: only `bench_ingest`. */
  readonly rolePolicy?: RolePolicy
  readonly onWarning?: (message: string) => void
}

/**
 * A Postgres database as a target. A delivery that fails by a deadlock, a serialization conflict or a lost connection is retried
 * from its start, on a new connection if necessary.
 */
export function postgresSink(address: PostgresAddress, options: PostgresSinkOptions): SinkOpener {
  const { rolePolicy = INGEST_ROLE, onWarning } = options
  const description = describeAddress(address)
  let hasWarned = false
  const warnOnce = (message: string): void => {
    if (!hasWarned) onWarning?.(message)
    hasWarned = true
  }
  const openSession = (signal: AbortSignal) => connectWriter(address, { signal, rolePolicy, onWarning: warnOnce })
  return databaseSink({ id: postgresId(address), description, opensEarly: true, openSession }, options)
}
