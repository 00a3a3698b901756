/** A Postgres server for the benchmarks, and databases that are the same at the start of every run. */

import { launchPostgres, type PostgresServer } from '../test/fixtures/postgres.js'
import { migrate } from '../src/sink/migrate.js'
import { connectPostgres, type PostgresSession } from '../src/sink/postgres/connect.js'
import { parseDsn } from '../src/sink/postgres/dsn.js'

/**
 * As durable as a real server, unlike the one of the tests. Memory and WAL are such that no checkpoint and no autovacuum
 * falls into a run: they would hit one side and not the other.
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
  /** Of the database that `reset` makes, for `bench_ingest`. */
  readonly url: string
  /** Makes the database anew, from the empty tables or from what `keep` kept, and writes everything to disk. */
  reset(): Promise<void>
  /** What the database holds now is what `reset` makes from now on. */
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
      // The first session of a new database writes a file that spares all later ones some milliseconds.
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
  // A session that has said goodbye may not be gone yet, and a template must not be in use.
  await server.sql(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '${from}'`)
  await server.sql(`CREATE DATABASE ${to} TEMPLATE ${from}`)
  await server.sql('CHECKPOINT')
}
