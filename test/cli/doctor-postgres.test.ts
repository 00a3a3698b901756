/** `doctor` against a real Postgres with TLS: well, and wrong in one way at a time. */

import { join } from 'node:path'
import { createServer } from 'node:net'
import t from 'tap'
import { makeAuthority, makeCertificate } from '../fixtures/certificates.js'
import { startPostgres } from '../fixtures/postgres.js'
import { startTcpProxy } from '../fixtures/tcp-proxy.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { runDoctor } from './fixtures/doctor.js'
import { listen } from '../fixtures/listen.js'

const { server, createDatabase } = await startMigratedPostgres(t)

t.test('a database that is as it should be gets nothing but ok, and nothing of the password is shown', async t => {
  const { url, countRows } = await createDatabase()
  const page = await runDoctor(t, ['--postgres', url])
  t.equal(page.code, 0)
  t.strictSame(page.failures, [])
  t.strictSame(page.said('role'), ['ok it is bench_ingest'])
  t.strictSame(page.said('grants'), ['ok bench_ingest may SELECT, INSERT and UPDATE, and no more'])
  t.strictSame(page.said('schema'), ['ok every migration, table and index of the contract is there'])
  t.match(page.said('certificate'), [
    /^ok TLSv1\.3, localhost < ca of the tests, valid until \d{4}-\d\d-\d\d \(\d+ days\)$/,
  ])
  t.match(page.said('login'), [/^ok it lets us in: Postgres 18/])
  t.strictSame(page.said('clock'), ['ok this clock and the one there agree to the second'])
  t.strictSame(page.said('password'), ['ok set (--postgres)'])
  t.notMatch(page.text, server.password)
  t.equal(await countRows(), 0)
})

t.test("values from PG* and VORTEX_INGEST_* variables are reported by the variable's name", async t => {
  const { name } = await createDatabase()
  const env = {
    ...{ PGHOST: 'localhost', PGPORT: String(server.port), PGDATABASE: name, PGUSER: 'bench_ingest' },
    ...{ PGPASSWORD: server.password, PGSSLROOTCERT: server.caFile ?? '', VORTEX_INGEST_POSTGRES: '' },
    ...{ VORTEX_INGEST_ROLE_POLICY: 'any', AWS_REGION: 'eu-west-1' },
  }
  const page = await runDoctor(t, ['--postgres', ''], { env })
  t.equal(page.code, 0, page.text)
  t.strictSame(page.said('host'), ['ok localhost (PGHOST)'])
  t.strictSame(page.said('password'), ['ok set (PGPASSWORD)'])
  t.strictSame(page.said('role-policy'), ['ok any (VORTEX_INGEST_ROLE_POLICY)'])
  t.strictSame(page.said('retry-deadline'), ['ok 60 s (default)'])
  t.strictSame(page.said('region'), ['ok eu-west-1 (AWS_REGION)'])
  t.match(page.said('dns'), [/^ok localhost is (127\.0\.0\.1|::1)/])
  t.notMatch(page.text, server.password)
})

t.test('rights that are missing fail, and rights beyond what is needed warn', async t => {
  const { url, sql } = await createDatabase()
  await sql('REVOKE UPDATE ON commits FROM bench_ingest; GRANT DELETE ON compression_sizes TO bench_ingest')
  const page = await runDoctor(t, ['--postgres', url])
  t.equal(page.code, 78)
  t.strictSame(page.failures, ['grants target_misconfigured'])
  t.strictSame(page.said('grants'), [
    'fail bench_ingest may not UPDATE on commits',
    'warn bench_ingest may also DELETE on compression_sizes',
  ])
  await sql('GRANT UPDATE ON commits TO bench_ingest')
  t.equal((await runDoctor(t, ['--postgres', url])).code, 0, 'a warning is no failure')
})

t.test('a role without TEMPORARY or USAGE rights gets a hint with the missing grant', async t => {
  const { url, name, sql } = await createDatabase()
  await sql(`REVOKE TEMP ON DATABASE ${name} FROM PUBLIC; REVOKE USAGE ON SCHEMA public FROM PUBLIC, bench_ingest`)
  const page = await runDoctor(t, ['--postgres', url])
  t.match(page.said('grants'), [
    'fail bench_ingest may not use the schema public',
    'fail bench_ingest may not make temporary tables, which records are staged in',
  ])
  t.ok(page.code === 77 || page.code === 78)
})

t.test('a missing migration fails, a missing index warns', async t => {
  const { url, sql } = await createDatabase()
  await sql(`DROP INDEX query_measurements_by_series`)
  const slow = await runDoctor(t, ['--postgres', url])
  t.equal(slow.code, 0)
  t.match(slow.said('schema'), [/^warn query_measurements: no index on .* \(missing_index\)$/])
  await sql(`DELETE FROM _applied_migrations WHERE name ~ '003'; DROP TABLE compression_sizes`)
  const page = await runDoctor(t, ['--postgres', url])
  t.equal(page.code, 78)
  t.match(page.said('schema').slice(0, 2), [
    /^fail 003_roles\.sql: .*missing_migration/,
    /^fail compression_sizes: .*missing_table/,
  ])
})

t.test('every enabled trigger and row-level security warn, and a rule or view in place of a table fails', async t => {
  const { url, sql } = await createDatabase()
  await sql(`
    CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER dropping BEFORE INSERT ON compression_sizes FOR EACH ROW EXECUTE FUNCTION drop_row();
    CREATE TRIGGER disabled BEFORE INSERT ON compression_sizes FOR EACH ROW EXECUTE FUNCTION drop_row();
    ALTER TABLE compression_sizes DISABLE TRIGGER disabled;
    CREATE TRIGGER afterwards AFTER INSERT ON compression_sizes FOR EACH ROW EXECUTE FUNCTION drop_row();
    CREATE TRIGGER statement BEFORE UPDATE ON compression_times FOR EACH STATEMENT EXECUTE FUNCTION drop_row();
    CREATE CONSTRAINT TRIGGER later AFTER INSERT ON commits DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION drop_row();
    ALTER TABLE random_access_times ENABLE ROW LEVEL SECURITY`)
  const warned = await runDoctor(t, ['--postgres', url])
  t.equal(warned.code, 0)
  t.strictSame(warned.said('schema'), [
    'warn commits: the trigger later may change or delete rows when a push commits (trigger)',
    'warn compression_times: the trigger statement may change or delete rows that are stored (trigger)',
    'warn compression_sizes: the trigger afterwards may change or delete rows that are stored (trigger)',
    'warn compression_sizes: the trigger dropping may change or drop rows before they are stored (trigger)',
    'warn random_access_times: row-level security is on, so policies may refuse rows or hide stored ones (row_security)',
  ])
  await sql(`
    CREATE RULE ignoring AS ON INSERT TO compression_times DO INSTEAD NOTHING;
    ALTER TABLE vector_search_runs RENAME TO stored_runs;
    CREATE VIEW vector_search_runs AS SELECT * FROM stored_runs;
    GRANT SELECT, INSERT, UPDATE ON vector_search_runs TO bench_ingest;
    ALTER TABLE query_measurements RENAME TO stored_queries;
    CREATE TABLE query_measurements (LIKE stored_queries) PARTITION BY HASH (measurement_id);
    GRANT SELECT, INSERT, UPDATE ON query_measurements TO bench_ingest`)
  const failed = await runDoctor(t, ['--postgres', url])
  t.equal(failed.code, 78)
  t.strictSame(failed.said('schema').slice(0, 3), [
    'fail query_measurements: a partitioned table stands in place of the table (not_a_table)',
    'fail compression_times: the rule ignoring prevents rows from being stored (rule)',
    'fail vector_search_runs: a view stands in place of the table (not_a_table)',
  ])
})

t.test('a database that does not order deliveries, or may lose commits, warns', async t => {
  const { url, name, sql } = await createDatabase()
  t.strictSame((await runDoctor(t, ['--postgres', url])).said('durability'), [
    'ok a commit is on disk when it is acknowledged',
  ])
  t.strictSame((await runDoctor(t, ['--postgres', url])).said('ordering'), [
    'ok a late delivery cannot replace newer values',
  ])
  await sql('REVOKE INSERT ON vortex_ingest.delivered_ids FROM bench_ingest')
  t.match((await runDoctor(t, ['--postgres', url])).said('ordering'), [/^warn /], 'without a right on one table')
  await sql(`DROP SCHEMA vortex_ingest CASCADE; DELETE FROM _applied_migrations WHERE name = '006_ordering.sql'`)
  const unordered = await runDoctor(t, ['--postgres', url])
  t.equal(unordered.code, 0)
  t.match(unordered.said('ordering'), [/^warn the role cannot use the schema vortex_ingest/])
  await sql(`ALTER DATABASE ${name} SET synchronous_commit = off`)
  const page = await runDoctor(t, ['--postgres', url])
  t.equal(page.code, 0)
  t.match(page.said('durability'), [/^warn synchronous_commit is off \(set by: database\)/])
  await sql(`ALTER DATABASE ${name} RESET synchronous_commit`)
  await sql(`ALTER ROLE bench_ingest IN DATABASE ${name} SET synchronous_commit = off`)
  t.match((await runDoctor(t, ['--postgres', url])).said('durability'), [/^warn .*set by: database user/])
})

t.test('an empty database fails by its schema, and stays empty', async t => {
  const url = await server.createDatabase('nothing')
  const page = await runDoctor(t, ['--postgres', url, '--role-policy', 'any'])
  t.equal(page.code, 78)
  t.strictSame([...new Set(page.failures)], ['schema target_misconfigured'])
  t.strictSame(
    await server.sql(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`, 'nothing'),
    [],
  )
})

t.test('another role fails, or warns where it is allowed', async t => {
  const { name } = await createDatabase()
  const strict = await runDoctor(t, ['--postgres', server.url(name)])
  t.equal(strict.code, 78)
  t.strictSame(strict.failures, ['role target_misconfigured'])
  t.match(strict.said('role'), ['fail the role is postgres, not bench_ingest'])
  const lax = await runDoctor(t, ['--postgres', server.url(name), '--role-policy', 'any'])
  t.equal(lax.code, 0)
  t.match(lax.said('role'), [/^warn the role postgres writes, not bench_ingest/])
  t.match(lax.said('grants'), [/^warn postgres may also do everything: it is a superuser$/])
})

t.test('a wrong password is 77, even where the certificate is fine and nothing else can be asked', async t => {
  const { url } = await createDatabase()
  const page = await runDoctor(t, ['--postgres', url.replace(server.password, 'wrong-and-hush')])
  t.equal(page.code, 77)
  t.strictSame(page.failures, ['login auth_failed'])
  t.match(page.said('certificate'), [/^ok /])
  t.strictSame(page.said('role'), [])
  t.notMatch(page.text, /wrong-and-hush/)
})

t.test('a certificate that a push refuses is reported with its names and dates', async t => {
  const dir = t.testdir()
  const authority = await makeAuthority(dir)
  const trusted = `?sslrootcert=${encodeURIComponent(authority.file)}`
  for (const [name, options, parameters, says] of [
    [
      'expired',
      { authority, expired: true },
      trusted,
      /^fail its certificate expired on \d{4}-\d\d-\d\d \(localhost < ca of/,
    ],
    [
      'elsewhere',
      { authority, hosts: ['db.example.com'] },
      trusted,
      /^fail its certificate is for db\.example\.com, not for 127\.0\.0\.1 \(/,
    ],
    ['self-signed', {}, '', /^fail its certificate is self-signed \(localhost\)$/],
    ['unknown', { authority }, '', /^fail its certificate is from an authority that is not trusted here \(/],
  ] as const)
    await t.test(name, async t => {
      const own = await startPostgres(t, { tls: await makeCertificate(join(dir, name), options) })
      const page = await runDoctor(t, ['--postgres', `${own.adminUrl}${parameters}`, '--role-policy', 'any'])
      t.equal(page.code, 78)
      t.strictSame(page.failures, ['certificate target_misconfigured', 'login target_misconfigured'])
      t.match(page.said('certificate'), [says])
    })
})

t.test('a server without TLS is 78', async t => {
  const plain = await startPostgres(t)
  const page = await runDoctor(t, ['--postgres', plain.adminUrl.replace(/\?.*/, '')])
  t.equal(page.code, 78)
  t.strictSame(page.said('certificate'), ['fail the server has no TLS'])
  const local = await runDoctor(t, ['--postgres', plain.adminUrl, '--insecure-local'])
  t.match(local.said('certificate'), [/^warn not encrypted and not verified: --insecure-local/])
  t.match(local.said('login'), [/^ok /])
})

t.test('a dead port and a name that does not exist are 69', async t => {
  const dead = await runDoctor(t, ['--postgres', 'postgres://bench_ingest:hush-4711@127.0.0.1:1/bench'])
  t.equal(dead.code, 69)
  t.strictSame(dead.failures, ['login target_unreachable'])
  t.strictSame(dead.said('login'), ['fail connection refused'])
  const nowhere = await runDoctor(t, ['--postgres', 'postgres://bench_ingest:hush-4711@nowhere.invalid/bench'])
  t.equal(nowhere.code, 69)
  t.strictSame(nowhere.failures, ['dns target_unreachable', 'login target_unreachable'])
  t.notMatch(dead.text + nowhere.text, /hush-4711/)
})

t.test('a server that says nothing holds up no longer than each check may take', async t => {
  const { url } = await createDatabase()
  const proxy = await startTcpProxy(t, { port: server.port })
  proxy.blackHole()
  const started = Date.now()
  const page = await runDoctor(t, [
    '--postgres',
    `${url.replace(`:${server.port}`, `:${proxy.port}`)}&connect_timeout=1`,
  ])
  t.equal(page.code, 69)
  t.ok(Date.now() - started < 20_000)
  t.match(page.said('login'), ['fail no answer in time'])
  t.strictSame(
    page.groups.map(({ name }) => name),
    ['program', 'configuration', 'postgres'],
  )
})

t.test('a server that hangs up and a server that is not Postgres have different errors', async t => {
  const closing = await listen(
    t,
    createServer(socket => socket.end()),
  )
  const gone = await runDoctor(t, ['--postgres', `postgres://u@127.0.0.1:${closing}/d`])
  t.strictSame([gone.code, gone.failures], [69, ['login target_unreachable']])
  const talking = await listen(
    t,
    createServer(socket => socket.on('data', () => socket.end('HTTP/1.1 400\r\n\r\n'))),
  )
  const other = await runDoctor(t, ['--postgres', `postgres://u@127.0.0.1:${talking}/d`])
  t.equal(other.code, 78)
  t.strictSame(other.said('certificate'), ['fail the server is not Postgres'])
})

t.test('of several hosts each is looked at, and the one that answers is asked', async t => {
  const { url } = await createDatabase()
  const two = url.replace(`127.0.0.1:${server.port}`, `127.0.0.1:1,127.0.0.1:${server.port}`)
  const page = await runDoctor(t, ['--postgres', two])
  t.equal(page.code, 0, page.text)
  t.match(page.said('certificate'), [new RegExp(`^ok 127\\.0\\.0\\.1:${server.port}: TLSv1\\.3`)])
  t.strictSame(page.said('role'), ['ok it is bench_ingest'])
  const unknown = await runDoctor(t, ['--postgres', two.replace('127.0.0.1:1', 'nowhere.invalid:1')])
  t.equal(unknown.code, 0, 'the one that works is enough')
  t.match(unknown.said('dns'), [/^warn there is no host nowhere\.invalid$/, /^ok /])
})

t.test('a replica and a read-only database exit 78', async t => {
  const { url, sql, name } = await createDatabase()
  await sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
  const page = await runDoctor(t, ['--postgres', url])
  t.equal(page.code, 78)
  t.match(page.said('login'), [/^ok /, 'fail it is read-only'])
})

t.test('a DSN that is refused is a failed line, not the end of the page', async t => {
  for (const dsn of [
    'postgres://u:hush-4711@db.example.com/d?sslmode=require',
    'postgres://u:hush-4711@127.0.0.1:1/d?password=hush-4711',
    'postgres://u:hush-4711@127.0.0.1:hush-4711/d',
    'postgres://u:%hush-4711@127.0.0.1/d',
    'postgres://u:hush-4711/@127.0.0.1/d',
    'postgres//u:hush-4711@127.0.0.1/d',
    'host=127.0.0.1 password=hush-4711',
    'mysql://u:hush-4711@h/d',
    'postgres://u:hush-4711@h@ost/d',
  ]) {
    const page = await runDoctor(t, ['--postgres', dsn])
    t.equal(page.code, 78)
    t.strictSame(page.failures, ['address usage'])
    t.match(page.said('postgres'), ['ok set, but it cannot be read (--postgres)'])
    t.notMatch(page.text, /hush-4711/)
  }
})

t.test('an RDS token is generated as for a push, and its inputs are not shown', async t => {
  const { url } = await createDatabase()
  const dsn = url.replace(`:${server.password}`, '')
  const keys = {
    AWS_ACCESS_KEY_ID: 'AKIDOFTHETEST',
    AWS_SECRET_ACCESS_KEY: 'hush-hush',
    AWS_SESSION_TOKEN: 'the-session',
  }
  const page = await runDoctor(t, ['--postgres', dsn, '--region', 'eu-west-1'], { env: keys })
  t.equal(page.code, 77)
  t.strictSame(page.said('region'), ['ok eu-west-1 (--region)'])
  t.strictSame(page.said('aws'), ['ok set (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN)'])
  t.match(page.said('login'), [/^fail password authentication failed/])
  t.notMatch(page.text, /AKIDOFTHETEST|hush-hush|the-session|X-Amz/)
})
