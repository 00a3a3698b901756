import t from 'tap'
import { readdirSync } from 'node:fs'
import { runCli, projectFile } from '../fixtures/cli.js'
import { startPostgres } from '../fixtures/postgres.js'

const server = await startPostgres(t, { tls: true })
const FILES = readdirSync(projectFile('src/database/migrations')).sort()
const ALL = String(FILES.length)

t.test('a fresh database gets every migration, and the second time none', async t => {
  const url = await server.createDatabase('fresh')
  const first = await runCli(['migrate', url])
  const again = await runCli(['migrate', url])
  t.strictSame([first.code, again.code], [0, 0])
  t.match(
    first.stdout,
    new RegExp(
      String.raw`^migrated: postgres://postgres@\S+: applied ${ALL} migrations, 0 already there\n {2}001_tables\.sql\n`,
    ),
  )
  t.match(again.stdout, `nothing to do, ${ALL} already there`)
  const ledger = await server.sql('SELECT name FROM _applied_migrations ORDER BY name', 'fresh')
  t.strictSame(
    ledger.map(({ name }) => name),
    FILES,
  )
})

t.test('--ordering restores tables and rights of the schema vortex_ingest that were removed', async t => {
  const url = await server.createDatabase('removed')
  t.equal((await runCli(['migrate', url])).code, 0)
  await server.sql(
    'DROP TABLE vortex_ingest.delivered_ids; REVOKE ALL ON vortex_ingest.watermarks FROM bench_ingest',
    'removed',
  )
  const granted = `SELECT has_table_privilege('bench_ingest', 'vortex_ingest.watermarks', 'UPDATE') AS granted`
  for (const [flags, expected] of [
    [[], false],
    [['--ordering'], true],
    [['--ordering'], true],
  ] as const) {
    t.equal((await runCli(['migrate', url, ...flags])).code, 0)
    t.strictSame(await server.sql(granted, 'removed'), [{ granted: expected }])
  }
  t.strictSame(await server.sql('SELECT count(*)::int AS ids FROM vortex_ingest.delivered_ids', 'removed'), [
    { ids: 0 },
  ])
  const names = await server.sql('SELECT name FROM _applied_migrations ORDER BY name', 'removed')
  t.strictSame(
    names.map(({ name }) => name),
    FILES,
  )
})

t.test('three at once all succeed, and each file is applied once', async t => {
  const url = await server.createDatabase('race')
  const results = await Promise.all([1, 2, 3].map(() => runCli(['migrate', url, '--format', 'json'])))
  t.strictSame(
    results.map(({ code }) => code),
    [0, 0, 0],
    results.map(({ stderr }) => stderr).join(),
  )
  const applied = results.flatMap(({ stdout }) => (JSON.parse(stdout) as { applied: string[] }).applied)
  t.strictSame(applied.sort(), FILES)
})

t.test('the ingest role can push and do no more', async t => {
  const url = await server.createDatabase('roles')
  await runCli(['migrate', url])
  const grants = await server.sql(
    `SELECT DISTINCT privilege_type AS may FROM information_schema.role_table_grants WHERE grantee = 'bench_ingest' AND table_name <> '_applied_migrations' ORDER BY 1`,
    'roles',
  )
  t.strictSame(
    grants.map(({ may }) => may),
    ['INSERT', 'SELECT', 'UPDATE'],
  )
})

t.test('a role that may not create tables gets an error, and nothing is applied', async t => {
  const url = await server.createDatabase('poor')
  await server.sql(`DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN PASSWORD '${server.password}'`)
  const { code, stderr } = await runCli([
    'migrate',
    url.replace('postgres:', 'poor:').replace('poor://', 'postgres://').replace('//postgres:', '//poor:'),
  ])
  t.equal(code, 77, stderr)
  t.match(stderr, /the role poor may not migrate this database: the ledger \S+ needs CREATE on the schema public;/)
  t.match(
    stderr,
    /; 001_tables\.sql needs CREATE on the schema public; 006_ordering\.sql needs to create a schema; .*008_accepted_changes\.sql needs to create a schema\nhint: nothing was applied/,
  )
  t.strictSame(await server.sql(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`, 'poor'), [])
})

t.test(
  'an owner without CREATEROLE is told before anything is applied, and may go on once the roles are there',
  async t => {
    const own = await startPostgres(t)
    await own.sql(`CREATE ROLE owner LOGIN PASSWORD '${own.password}'`)
    await own.sql('CREATE DATABASE owned OWNER owner')
    const migrate = ['migrate', '--insecure-local', own.url('owned', 'owner')]
    const before = await runCli(migrate)
    t.equal(before.code, 77)
    t.match(
      before.stderr,
      /the role owner may not migrate this database: 003_roles\.sql needs CREATEROLE \(or the roles/,
    )
    t.strictSame(await own.sql(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`, 'owned'), [])
    await own.sql('CREATE ROLE migrator LOGIN; CREATE ROLE bench_ingest LOGIN; CREATE ROLE bench_read LOGIN')
    const after = await runCli(migrate)
    t.equal(after.code, 0, after.stderr)
    t.match(after.stdout, `applied ${ALL} migrations`)
    const grants = await own.sql(
      `SELECT grantee, table_name, string_agg(privilege_type, ' ' ORDER BY privilege_type) AS rights
       FROM information_schema.role_table_grants WHERE table_schema = 'vortex_ingest' AND grantee <> 'owner'
       GROUP BY 1, 2 ORDER BY 1, 2`,
      'owned',
    )
    const granted = (grantee: string, table_name: string, rights: string): object => ({ grantee, table_name, rights })
    t.strictSame(grants, [
      granted('bench_ingest', 'accepted_changes', 'INSERT SELECT UPDATE'),
      granted('bench_ingest', 'commit_ancestry', 'INSERT SELECT UPDATE'),
      granted('bench_ingest', 'delivered_ids', 'INSERT SELECT'),
      granted('bench_ingest', 'deliveries', 'INSERT SELECT'),
      granted('bench_ingest', 'watermarks', 'INSERT SELECT UPDATE'),
      granted('bench_read', 'accepted_changes', 'SELECT'),
      granted('bench_read', 'commit_ancestry', 'SELECT'),
      granted('bench_read', 'delivered_ids', 'SELECT'),
      granted('bench_read', 'deliveries', 'SELECT'),
    ])
  },
)

t.test('migrator makes a database that it may create tables in, and who may not finds one that is made', async t => {
  await server.sql(
    `ALTER ROLE migrator PASSWORD '${server.password}'; ALTER ROLE bench_ingest PASSWORD '${server.password}'`,
  )
  await server.sql('CREATE DATABASE migrated OWNER migrator')
  const made = await runCli(['migrate', server.url('migrated', 'migrator')])
  t.equal(made.code, 0, made.stderr)
  const again = await runCli(['migrate', server.url('migrated', 'bench_ingest')])
  t.equal(again.code, 0, again.stderr)
  t.match(again.stdout, `nothing to do, ${ALL} already there`)
})

t.test('a ledger without checksums is kept, and new entries have them', async t => {
  const url = await server.createDatabase('older')
  await runCli(['migrate', url])
  await server.sql(
    `ALTER TABLE _applied_migrations DROP COLUMN checksum; DELETE FROM _applied_migrations WHERE name ~ '003'`,
    'older',
  )
  const { code, stdout } = await runCli(['migrate', url])
  t.equal(code, 0)
  t.match(stdout, `applied 1 migration, ${FILES.length - 1} already there`)
  const ledger = await server.sql('SELECT name FROM _applied_migrations WHERE checksum IS NOT NULL', 'older')
  t.strictSame(ledger, [{ name: '003_roles.sql' }])
  t.equal((await runCli(['migrate', '--check', url])).code, 0, 'what is not known is no drift')
})

t.test('earlier content of a migration file is not drift', async t => {
  const url = await server.createDatabase('earlier')
  await runCli(['migrate', url])
  const earlier = {
    '002_indexes.sql': '1595d5ba7660f407bc332a826291d3d6cdab12f70910ab14b26d8142cb73fee1',
    '003_roles.sql': '940acd9aee4ed2a266bf2eab34b2790c6715c44eb74f69c2d25e53b2cc8cf012',
  }
  for (const [name, checksum] of Object.entries(earlier))
    await server.sql(`UPDATE _applied_migrations SET checksum = '${checksum}' WHERE name = '${name}'`, 'earlier')
  const { code, stdout } = await runCli(['migrate', '--check', url])
  t.equal(code, 0, stdout)
})

t.test('an index of the contract that exists under another name is not made again', async t => {
  const url = await server.createDatabase('named')
  await runCli(['migrate', url])
  await server.sql(
    `ALTER INDEX query_measurements_by_series RENAME TO series; ALTER INDEX commits_by_time RENAME TO newest;
     DROP INDEX compression_times_by_format; DELETE FROM _applied_migrations WHERE name ~ '002'`,
    'named',
  )
  t.match((await runCli(['migrate', url])).stdout, 'applied 1 migration')
  const made = await server.sql(
    `SELECT indexname AS name FROM pg_indexes WHERE indexname ~ '_by_series|_by_time|times_by_format' ORDER BY 1`,
    'named',
  )
  t.strictSame(made, [{ name: 'compression_times_by_format' }, { name: 'random_access_times_by_format' }])
})

t.test(
  '--check finds nothing in a database as migrate leaves it, and changes nothing in one that is empty',
  async t => {
    const url = await server.createDatabase('checked')
    const empty = await runCli(['migrate', '--check', url, '--format', 'json'])
    t.equal(empty.code, 78)
    const { drift } = JSON.parse(empty.stdout) as { drift: { code: string }[] }
    t.strictSame([...new Set(drift.map(({ code }) => code))].sort(), [
      'missing_migration',
      'missing_optional_migration',
      'missing_table',
    ])
    t.strictSame(
      await server.sql(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`, 'checked'),
      [],
    )
    await runCli(['migrate', url])
    const { code, stdout } = await runCli(['migrate', '--check', url])
    t.equal(code, 0, stdout)
    t.match(stdout, /^up to date: /)
    t.equal((await runCli(['migrate', '--check', server.url('checked', 'bench_ingest')])).code, 0, 'a reader may look')
  },
)

const DRIFTS: readonly (readonly [sql: string, drift: string])[] = [
  ['DROP TABLE compression_sizes', 'compression_sizes missing_table'],
  [
    'ALTER TABLE compression_sizes DROP COLUMN uncompressed_bytes',
    'compression_sizes.uncompressed_bytes missing_column',
  ],
  ['ALTER TABLE random_access_times ALTER open_mode DROP NOT NULL', 'random_access_times.open_mode wrong_null'],
  ['ALTER TABLE commits DROP COLUMN message', 'commits.message missing_column'],
  ['ALTER TABLE query_measurements ALTER value_ns TYPE numeric', 'query_measurements.value_ns wrong_type'],
  ['ALTER TABLE query_measurements ALTER peak_virtual SET NOT NULL', 'query_measurements.peak_virtual wrong_null'],
  ['ALTER TABLE query_measurements ALTER engine DROP NOT NULL', 'query_measurements.engine wrong_null'],
  ['ALTER TABLE commits ADD must int NOT NULL', 'commits.must required_column'],
  ['ALTER TABLE vector_search_runs DROP CONSTRAINT vector_search_runs_pkey', 'vector_search_runs missing_key'],
  ['ALTER TABLE query_measurements ALTER value_ns TYPE double precision', 'query_measurements.value_ns wrong_type'],
  [
    `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
     CREATE TRIGGER f BEFORE INSERT ON commits FOR EACH ROW EXECUTE FUNCTION f()`,
    'commits trigger',
  ],
  ['CREATE RULE r AS ON UPDATE TO commits DO INSTEAD NOTHING', 'commits rule'],
  ['ALTER TABLE commits ENABLE ROW LEVEL SECURITY', 'commits row_security'],
  ['DROP INDEX query_measurements_by_series', 'query_measurements missing_index'],
  ['DROP INDEX commits_by_time; CREATE INDEX ON commits (timestamp, commit_sha)', 'commits missing_index'],
  [
    `DROP INDEX compression_times_by_format; CREATE INDEX ON compression_times (format) WHERE op = 'x'`,
    'compression_times missing_index',
  ],
  [`DELETE FROM _applied_migrations WHERE name ~ '002'`, '002_indexes.sql missing_migration'],
  [`INSERT INTO _applied_migrations (name) VALUES ('999_later.sql')`, '999_later.sql unknown_migration'],
  [`UPDATE _applied_migrations SET checksum = 'x' WHERE name ~ '001'`, '001_tables.sql changed_migration'],
]

const NO_DRIFT = `
  ALTER TABLE compression_sizes ADD reviewed_by bigint, ADD noted timestamptz NOT NULL DEFAULT now();
  CREATE TABLE another (id int); CREATE INDEX ON commits (author_name);
  ALTER INDEX commits_by_time RENAME TO other_name`

t.test('--check names each thing that drifted, and no more', async t => {
  await runCli(['migrate', await server.createDatabase('pristine')])
  const check = async (sql: string): Promise<readonly string[]> => {
    await server.sql('DROP DATABASE IF EXISTS drifted WITH (FORCE)')
    await server.sql('CREATE DATABASE drifted TEMPLATE pristine')
    await server.sql(sql, 'drifted')
    const { code, stdout } = await runCli(['migrate', '--check', server.url('drifted'), '--format', 'json'])
    const { drift } = JSON.parse(stdout) as { drift: { object: string; code: string }[] }
    t.equal(code, drift.length > 0 ? 78 : 0)
    return drift.map(({ object, code }) => `${object} ${code}`)
  }
  for (const [sql, expected] of DRIFTS) t.strictSame(await check(sql), [expected], sql)
  t.strictSame(await check(NO_DRIFT), [])
})

t.test('--check finds missing migrations of the embedded database and creates no database', async t => {
  const cwd = t.testdir()
  t.equal((await runCli(['migrate', '--check'], { cwd })).code, 78)
  await runCli(['migrate'], { cwd })
  const { code, stdout } = await runCli(['migrate', '--check'], { cwd })
  t.equal(code, 0, stdout)
  t.match(stdout, /^up to date: the embedded database in \.vortex-ingest /)
})

t.test('the embedded database is made and migrated', async t => {
  const cwd = t.testdir()
  const { code, stdout } = await runCli(['migrate'], { cwd })
  t.equal(code, 0)
  t.match(stdout, `the embedded database in .vortex-ingest: applied ${ALL} migrations`)
})
