/** The program works with a server that has only the features it requires (docs/adr/0009). */

import { access } from 'node:fs/promises'
import t from 'tap'
import { runCli } from '../fixtures/cli.js'
import { startPostgres, type PostgresServer } from '../fixtures/postgres.js'
import { COUNT_ROWS } from './fixtures/database.js'
import { manyQueries, oneOfEach, writeCommit, writeLines } from '../fixtures/records.js'

const DEBIANS_OLDEST = '/usr/lib/postgresql/15/bin'

const TABLES =
  'commits, query_measurements, compression_times, compression_sizes, random_access_times, vector_search_runs'

/** The role of the contract, made by hand: no more than section 4 says. */
function makeRole(server: PostgresServer, database: string): Promise<unknown> {
  return server.sql(
    `CREATE ROLE bench_ingest LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD '${server.password}';
    GRANT USAGE ON SCHEMA public TO bench_ingest;
    GRANT SELECT, INSERT, UPDATE ON ${TABLES} TO bench_ingest`,
    database,
  )
}

t.test('the rights of the contract and TEMPORARY are enough; without that, the error says what is missing', async t => {
  const server = await startPostgres(t, { tls: true })
  const owner = await server.createDatabase('needs')
  await server.sql('REVOKE ALL ON DATABASE needs FROM PUBLIC')
  t.equal((await runCli(['migrate', owner])).code, 0)
  // As migrate made it, it may have more.
  await server.sql('DROP OWNED BY bench_ingest; DROP ROLE bench_ingest', 'needs')
  await makeRole(server, 'needs')
  await server.sql('GRANT CONNECT ON DATABASE needs TO bench_ingest')
  const cwd = t.testdir({})
  const file = writeLines(cwd, 'f.jsonl', [...oneOfEach(), ...manyQueries(6_000)])
  const push = ['push', file, '--commit', writeCommit(cwd), '--postgres', server.url('needs', 'bench_ingest')]

  const refused = await runCli(push)
  t.equal(refused.code, 77, refused.stderr)
  t.match(refused.stderr, /permission denied to create temporary tables in database "needs"\nhint: GRANT/)
  t.match(await server.sql(COUNT_ROWS, 'needs'), [{ rows: 0 }])

  const few = writeLines(cwd, 'few.jsonl', oneOfEach())
  t.equal((await runCli(push.with(1, few))).code, 0, 'a few rows need no temporary table')

  await server.sql('GRANT TEMPORARY ON DATABASE needs TO bench_ingest')
  const { code, stderr } = await runCli(push)
  t.equal(code, 0, stderr)
  t.match(await server.sql(COUNT_ROWS, 'needs'), [{ rows: 6_005 }])
  t.match(await server.sql('SELECT extname FROM pg_extension', 'needs'), [{ extname: 'plpgsql' }])
})

t.test('an older Postgres will do: migrate, push, push again, verify', async t => {
  const found = await access(DEBIANS_OLDEST).then(
    () => true,
    () => false,
  )
  if (!found) return void t.pass('Postgres 15', { skip: `no older Postgres is installed (${DEBIANS_OLDEST})` })
  const server = await startPostgres(t, { tls: true, programs: DEBIANS_OLDEST })
  t.match(await server.sql('SHOW server_version'), [{ server_version: /^15\./ }])
  const owner = await server.createDatabase('old')
  const migrated = await runCli(['migrate', owner])
  t.equal(migrated.code, 0, migrated.stderr)
  await server.sql(`ALTER ROLE bench_ingest PASSWORD '${server.password}'`)
  const cwd = t.testdir({})
  const file = writeLines(cwd, 'f.jsonl', [...oneOfEach(), ...manyQueries(6_000)])
  const url = server.url('old', 'bench_ingest')
  for (const inserted of [6_005, 0]) {
    const { code, stdout, stderr } = await runCli([
      ...['push', file, '--commit', writeCommit(cwd), '--postgres', url, '--format', 'json'],
    ])
    t.equal(code, 0, stderr)
    t.match(JSON.parse(stdout), { inserted, updated: 6_005 - inserted, unchanged: 6_005 - inserted })
  }
  t.equal((await runCli(['verify', file, '--postgres', url])).code, 0)
  t.equal((await runCli(['migrate', '--check', owner])).code, 0)
})
