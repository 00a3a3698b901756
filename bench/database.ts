/** A Postgres server for the benchmarks, with databases that are identical at the start of every run. */

import { launchPostgres, type PostgresServer } from '../test/fixtures/postgres.js'
import { migrate } from '../src/database/migrate.js'
import { connectPostgres, type PostgresSession } from '../src/database/postgres/connect.js'
import { parseDsn } from '../src/database/postgres/dsn.js'

/**
 * As durable as a production server, unlike the server of the tests. Memory and WAL limits are large enough that no
 * checkpoint or autovacuum happens during a run, because it would slow down only one side.
 */
const SETTINGS = {
  fsync: 'on',
  full_page_writes: 'on',
  shared_buffers: '2GB',
  max_wal_size: '32GB',
  checkpoint_timeout: '1h',
  autovacuum: 'off',
}

export const SETTINGS_NOTE = `Postgres 18 from npm, its defaults but for ${Object.entries(SETTINGS)
  .map(([name, value]) => `\`${name}=${value}\``)
  .join(', ')}; the same server for all sides.`

export type BenchDatabase = {
  /** URL of the database that `reset` creates, for the user `bench_ingest`. */
  readonly url: string
  /** Creates the database again, from the empty tables or from the copy that `keep` made, and writes everything to disk. */
  reset(): Promise<void>
  /** Makes a copy of the database, which later calls of `reset` restore. */
  keep(): Promise<void>
  connect(): Promise<PostgresSession>
  stop(): Promise<void>
}

const TEMPLATE = 'bench_template'
const DATABASE = 'bench'

export async function startDatabase({ tls }: { readonly tls: boolean }): Promise<BenchDatabase> {
  const server = await launchPostgres({ tls, settings: SETTINGS })
  const connect = (url: string): Promise<PostgresSession> =>
    connectPostgres(parseDsn(url, { insecureLocal: !tls }), { queryTimeoutMs: 0 })
  try {
    const session = await connect(await server.createDatabase(TEMPLATE))
    await migrate(session)
    await session.execute(`ALTER ROLE bench_ingest PASSWORD '${server.password}'`)
    await session.close()
  } catch (error) {
    await server.stop()
    throw error
  }
  return {
    url: server.url(DATABASE, 'bench_ingest'),
    async reset() {
      await copyDatabase(server, { from: TEMPLATE, to: DATABASE })
      // The first session of a new database writes a cache file, which saves all later sessions a few milliseconds.
      await server.sql('SELECT', DATABASE)
    },
    keep: async () => {
      await server.sql('VACUUM (ANALYZE)', DATABASE)
      await copyDatabase(server, { from: DATABASE, to: TEMPLATE })
    },
    connect: () => connect(server.url(DATABASE)),
    stop: () => server.stop(),
  }
}

async function copyDatabase(
  server: PostgresServer,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  await server.sql(`DROP DATABASE IF EXISTS ${to} WITH (FORCE)`)
  // A closed session may still be running in the server, and a template database must not be in use.
  await server.sql(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '${from}'`)
  await server.sql(`CREATE DATABASE ${to} TEMPLATE ${from}`)
  await server.sql('CHECKPOINT')
}
