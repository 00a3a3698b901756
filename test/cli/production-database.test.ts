/** Every command on a database that the migration runner of production made, at each state that is in use. */

import t, { type Test } from 'tap'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { startPostgres, type PostgresServer } from '../fixtures/postgres.js'
import { runDoctor } from './fixtures/doctor.js'
import { jsonl, oneOfEach, query, writeCommit } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'

const LEVELS: readonly Level[] = ['007', '008', '009', '010']

const TABLES = [
  'commits',
  'query_measurements',
  'compression_times',
  'compression_sizes',
  'random_access_times',
  'vector_search_runs',
]

const ALL = TABLES.join(', ')

const SERIES = 'dataset, dataset_variant, scale_factor, storage, query_idx'

const makeRole = (name: string): string =>
  `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${name}') THEN CREATE ROLE ${name} LOGIN; END IF; END $$`

const FILES: readonly (readonly [name: string, sql: string])[] = [
  [
    '001_initial_schema',
    `CREATE TABLE commits (commit_sha text PRIMARY KEY, timestamp timestamptz NOT NULL, message text, author_name text,
       author_email text, committer_name text, committer_email text, tree_sha text NOT NULL, url text NOT NULL);
     CREATE TABLE query_measurements (measurement_id bigint PRIMARY KEY, commit_sha text NOT NULL, dataset text NOT NULL,
       dataset_variant text, scale_factor text, query_idx integer NOT NULL, storage text NOT NULL, engine text NOT NULL,
       format text NOT NULL, value_ns bigint NOT NULL, all_runtimes_ns bigint[] NOT NULL, peak_physical bigint,
       peak_virtual bigint, physical_delta bigint, virtual_delta bigint, env_triple text);
     CREATE TABLE compression_times (measurement_id bigint PRIMARY KEY, commit_sha text NOT NULL, dataset text NOT NULL,
       dataset_variant text, format text NOT NULL, op text NOT NULL, value_ns bigint NOT NULL,
       all_runtimes_ns bigint[] NOT NULL, env_triple text);
     CREATE TABLE compression_sizes (measurement_id bigint PRIMARY KEY, commit_sha text NOT NULL, dataset text NOT NULL,
       dataset_variant text, format text NOT NULL, value_bytes bigint NOT NULL);
     CREATE TABLE random_access_times (measurement_id bigint PRIMARY KEY, commit_sha text NOT NULL, dataset text NOT NULL,
       format text NOT NULL, value_ns bigint NOT NULL, all_runtimes_ns bigint[] NOT NULL, env_triple text);
     CREATE TABLE vector_search_runs (measurement_id bigint PRIMARY KEY, commit_sha text NOT NULL, dataset text NOT NULL,
       layout text NOT NULL, flavor text NOT NULL, threshold double precision NOT NULL, value_ns bigint NOT NULL,
       all_runtimes_ns bigint[] NOT NULL, matches bigint NOT NULL, rows_scanned bigint NOT NULL,
       bytes_scanned bigint NOT NULL, iterations integer NOT NULL, env_triple text);
     CREATE INDEX idx_commits_timestamp ON commits (timestamp DESC, commit_sha DESC);
     CREATE INDEX idx_query_measurements_chart ON query_measurements (${SERIES});
     CREATE INDEX idx_compression_times_chart ON compression_times (dataset, dataset_variant);
     CREATE INDEX idx_compression_sizes_chart ON compression_sizes (dataset, dataset_variant);
     CREATE INDEX idx_random_access_times_chart ON random_access_times (dataset);
     CREATE INDEX idx_vector_search_runs_chart ON vector_search_runs (dataset, layout, threshold)`,
  ],
  ['002_iam_db_user', `${makeRole('migrator')}; GRANT CREATE, USAGE ON SCHEMA public TO migrator`],
  ['003_migrator_ledger_grant', 'GRANT SELECT, INSERT ON _applied_migrations TO migrator'],
  [
    '004_ingest_role',
    `${makeRole('bench_ingest')}; GRANT USAGE ON SCHEMA public TO bench_ingest;
     GRANT SELECT, INSERT, UPDATE ON ${ALL} TO bench_ingest;
     ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO bench_ingest`,
  ],
  [
    '005_read_role',
    `${makeRole('bench_read')}; GRANT USAGE ON SCHEMA public TO bench_read; GRANT SELECT ON ${ALL} TO bench_read;
     ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public GRANT SELECT ON TABLES TO bench_read`,
  ],
  [
    '006_read_path_perf',
    `ALTER TABLE query_measurements ADD COLUMN commit_timestamp timestamptz;
     CREATE INDEX idx_query_measurements_summary
       ON query_measurements (${SERIES}, engine, format, commit_timestamp DESC);
     CREATE INDEX idx_query_measurements_engine ON query_measurements (engine);
     CREATE INDEX idx_query_measurements_format ON query_measurements (format);
     CREATE INDEX idx_compression_times_format ON compression_times (format);
     CREATE INDEX idx_compression_sizes_format ON compression_sizes (format);
     CREATE INDEX idx_random_access_times_format ON random_access_times (format)`,
  ],
  [
    '007_summary_covering_index',
    `DROP INDEX idx_query_measurements_summary;
     CREATE INDEX idx_query_measurements_summary
       ON query_measurements (${SERIES}, engine, format, commit_timestamp DESC) INCLUDE (value_ns)`,
  ],
  [
    '008_migrator_ownership',
    [...TABLES, '_applied_migrations'].map(table => `ALTER TABLE ${table} OWNER TO migrator`).join('; '),
  ],
  ['009_compression_uncompressed_size', 'ALTER TABLE compression_sizes ADD COLUMN uncompressed_bytes bigint'],
  [
    '010_random_access_open_mode',
    `ALTER TABLE random_access_times ADD COLUMN open_mode text NOT NULL DEFAULT 'cached',
       ADD CONSTRAINT random_access_times_open_mode_check CHECK (open_mode IN ('cached', 'reopen'))`,
  ],
]

const server = await startPostgres(t, { tls: true })
await server.sql('CREATE ROLE rds_iam')

/** The drift that each state of the other runner's database has. */
const LACKING: Readonly<Record<Level, readonly string[]>> = {
  '007': ['004_uncompressed_bytes.sql', '005_open_mode.sql'],
  '008': ['004_uncompressed_bytes.sql', '005_open_mode.sql'],
  '009': ['005_open_mode.sql'],
  '010': [],
}
const COLUMNS: Readonly<Record<string, string>> = {
  '004_uncompressed_bytes.sql': 'compression_sizes.uncompressed_bytes',
  '005_open_mode.sql': 'random_access_times.open_mode',
}

for (const level of LEVELS)
  t.test(`a database at ${level}`, async t => {
    const name = `at_${level}`
    await createOtherRunnersDatabase(server, name, level)
    const [owner, ingest] = [server.url(name), server.url(name, 'bench_ingest')]
    const lacking = LACKING[level]
    const drift = [
      ...lacking.map(file => `${file} missing_migration`),
      ...lacking.map(file => `${COLUMNS[file]} missing_column`),
    ]
    const indexes = await indexesOf(name)
    t.equal(indexes.length, 6 + 12, 'the primary keys and the indexes of the contract')

    t.strictSame(await checked(t, owner), { code: drift.length > 0 ? 78 : 0, drift, ledgerCompared: true })
    const before = await runDoctor(t, ['--postgres', ingest])
    t.equal(before.code, drift.length > 0 ? 78 : 0)
    t.strictSame(
      before.said('schema').filter(line => /missing/.test(line)).length,
      lacking.length,
      'bench_ingest may not read the ledger, but sees the columns',
    )

    await pushAndVerify(t, ingest)

    const first = await migrated(t, owner)
    t.strictSame(first.applied, lacking)
    const ledger = [...new Set([...filesUpTo(level), ...filesUpTo('010').slice(-2)])]
    t.strictSame(await ledgerOf(name), ledger)
    t.strictSame(await indexesOf(name), indexes, 'no index was added')
    t.strictSame(await columnsOf(name), ['open_mode text NO', 'uncompressed_bytes bigint YES'])

    const again = await migrated(t, owner)
    t.strictSame([again.applied, again.already_there.length], [[], 5], 'the second time nothing happens')
    t.strictSame(await ledgerOf(name), ledger)
    t.match(before.said('ordering'), [/^warn the role cannot use the schema vortex_ingest/])
    const ordering = await runCli(['migrate', '--ordering', owner])
    t.match(ordering, { code: 0, stdout: /006_ordering\.sql/ })
    t.strictSame(await ledgerOf(name), ledger, 'the other runner would not know the file')
    t.strictSame(await checked(t, owner), { code: 0, drift: [], ledgerCompared: true })
    t.strictSame(await checked(t, ingest), { code: 0, drift: [], ledgerCompared: false })
    const doctor = await runDoctor(t, ['--postgres', ingest])
    t.equal(doctor.code, 0, doctor.text)
    t.strictSame(doctor.said('schema'), [
      'ok every table and index of the contract is there; this role may not read the ledger of migrations',
    ])
    t.strictSame(doctor.said('ordering'), ['ok a late delivery cannot replace newer values'])
    await pushAndVerify(t, ingest)
  })

/** Pushes records of version 1, which every state takes, and verifies them. */
async function pushAndVerify(t: Test, url: string): Promise<void> {
  const cwd = t.testdir({ 'results.jsonl': jsonl(oneOfEach()) })
  const commit = writeCommit(cwd)
  const push = await runCli(['push', 'results.jsonl', '--commit', commit, '--postgres', url], { cwd })
  t.equal(push.code, 0, push.stderr)
  const verify = await runCli(['verify', 'results.jsonl', '--postgres', url], { cwd })
  t.equal(verify.code, 0, verify.stdout + verify.stderr)
}

t.test('migrator brings a database at 008 up to date, one at 007 it does not own', async t => {
  await createOtherRunnersDatabase(server, 'owned', '008')
  await createOtherRunnersDatabase(server, 'foreign', '007')
  const owned = await runCli(['migrate', server.url('owned', 'migrator')])
  t.equal(owned.code, 0, owned.stderr)
  t.match(owned.stdout, /applied 2 migrations, 3 already there/)
  const refused = await runCli(['migrate', server.url('foreign', 'migrator')])
  t.equal(refused.code, 77)
  t.match(
    refused.stderr,
    /role migrator may not migrate this database: 004_uncompressed_bytes\.sql needs to own the table compression_sizes; 005_open_mode\.sql needs to own the table random_access_times\nhint: nothing was applied/,
  )
  t.strictSame(await ledgerOf('foreign'), filesUpTo('007'))
  t.strictSame(await columnsOf('foreign'), [])
})

t.test('a role that may not read the ledger is told so by migrate', async t => {
  await createOtherRunnersDatabase(server, 'unreadable', '010')
  const { code, stderr } = await runCli(['migrate', server.url('unreadable', 'bench_ingest')])
  t.equal(code, 77)
  t.match(stderr, /error: this role may not read the ledger public\._applied_migrations\nhint: run it as the owner/)
})

t.test('a database before 007 is left to the other runner, and nothing in it changes', async t => {
  await createOtherRunnersDatabase(server, 'early', '006')
  const { code, stderr } = await runCli(['migrate', server.url('early')])
  t.equal(code, 78)
  t.match(stderr, /another migration runner made this database and has not applied 007_summary_covering_index\nhint:/)
  t.strictSame(await ledgerOf('early'), filesUpTo('006'))
})

t.test('a ledger without the suffix .sql gets rows without it', async t => {
  await createOtherRunnersDatabase(server, 'bare', '009')
  await server.sql(`UPDATE _applied_migrations SET filename = replace(filename, '.sql', '')`, 'bare')
  t.strictSame((await migrated(t, server.url('bare'))).applied, ['005_open_mode.sql'])
  t.equal((await ledgerOf('bare')).at(-1), '010_random_access_open_mode')
  t.equal((await checked(t, server.url('bare'))).code, 0)
})

t.test('a file of the other runner that this version does not know is drift that stops no push', async t => {
  await createOtherRunnersDatabase(server, 'later', '010')
  await server.sql(`INSERT INTO _applied_migrations (filename) VALUES ('011_later.sql')`, 'later')
  t.strictSame((await checked(t, server.url('later'))).drift, ['011_later.sql unknown_migration'])
  const doctor = await runDoctor(t, ['--postgres', server.url('later'), '--role-policy', 'any'])
  t.match(doctor.said('schema'), [/^warn 011_later\.sql: applied by another program or by a newer version/])
})

t.test('a membership of bench_read through another role is reported with what to revoke', async t => {
  await createOtherRunnersDatabase(server, 'inherited', '010')
  await server.sql('CREATE ROLE readers; GRANT rds_iam TO readers; GRANT readers TO bench_read')
  const { drift, code } = await checked(t, server.url('inherited'))
  t.strictSame(drift, ['bench_read inherited_token_login'])
  t.equal(code, 78)
  const { stderr } = await runCli(['migrate', '--check', server.url('inherited')])
  t.match(stderr, /hint: revoke the role between rds_iam and bench_read/)
  await server.sql('REVOKE readers FROM bench_read; DROP OWNED BY readers; DROP ROLE readers')
})

t.test('migrate takes rds_iam from bench_read, whoever granted it; the other roles keep it', async t => {
  await createOtherRunnersDatabase(server, 'tokens', '010')
  await server.sql('CREATE ROLE master SUPERUSER; GRANT rds_iam TO master WITH ADMIN OPTION')
  await server.sql('SET ROLE master; GRANT rds_iam TO bench_read GRANTED BY master; RESET ROLE')
  await server.sql('GRANT rds_iam TO bench_read, bench_ingest, migrator')
  const warning = `bench_read: the role is a member of rds_iam, so it cannot log in with its password (token_login)`
  const doctor = await runDoctor(t, ['--postgres', server.url('tokens', 'bench_ingest')])
  t.equal(doctor.code, 0, 'a push works all the same')
  t.strictSame(doctor.said('schema'), [`warn ${warning}`])
  t.strictSame((await checked(t, server.url('tokens'))).drift, ['bench_read token_login'])

  const refused = await runCli(['migrate', server.url('tokens', 'migrator')])
  t.equal(refused.code, 77)
  t.match(refused.stderr, /revoking rds_iam from bench_read needs CREATEROLE/)
  t.strictSame(await tokenRoles(), ['bench_delete', 'bench_ingest', 'bench_read', 'master', 'migrator'])

  const { code, stdout } = await runCli(['migrate', server.url('tokens')])
  t.equal(code, 0)
  t.match(stdout, /: no migration to apply, 5 already there\n {2}revoked rds_iam from bench_read, because/)
  t.strictSame(await tokenRoles(), ['bench_delete', 'bench_ingest', 'master', 'migrator'])
  t.strictSame((await migrated(t, server.url('tokens'))).revoked, [])
  t.strictSame((await checked(t, server.url('tokens'))).drift, [])
})

t.test('migrating a new database where rds_iam exists makes the writers members, not bench_read', async t => {
  await server.sql('REVOKE rds_iam FROM bench_ingest, migrator')
  const { code, stderr } = await runCli(['migrate', await server.createDatabase('new')])
  t.equal(code, 0, stderr)
  t.strictSame(await tokenRoles(), ['bench_delete', 'bench_ingest', 'master', 'migrator'])
})

t.test('rows that disagree with their commit are repaired in a database of the other runner', async t => {
  await createOtherRunnersDatabase(server, 'repaired', '010')
  const url = server.url('repaired', 'bench_ingest')
  const cwd = t.testdir({ 'results.jsonl': jsonl([1, 2, 3].map(query_idx => query({ query_idx }))) })
  await runCli(['push', 'results.jsonl', '--commit', writeCommit(cwd), '--postgres', url], { cwd })
  await server.sql(`UPDATE query_measurements SET commit_timestamp = NULL WHERE query_idx = 2`, 'repaired')
  await server.sql(`UPDATE query_measurements SET commit_timestamp = '2020-01-01Z' WHERE query_idx = 3`, 'repaired')
  const first = await runCli(['migrate', '--repair-timestamps', url, '--format', 'json'])
  t.strictSame(schemaErrors('migrate-repair-report', first.stdout), [])
  t.match(JSON.parse(first.stdout), { exit_code: 0, examined: 3, repaired: 2 })
  const second = await runCli(['migrate', '--repair-timestamps', url])
  t.match(second.stdout, /^repaired: postgres:\S+: nothing to repair, 3 rows examined\n/)
  t.strictSame(
    await server.sql(
      'SELECT FROM query_measurements JOIN commits USING (commit_sha) WHERE commit_timestamp <> timestamp',
      'repaired',
    ),
    [],
  )
})

type Migrated = {
  readonly applied: readonly string[]
  readonly already_there: readonly string[]
  readonly revoked: readonly string[]
}

async function migrated(t: Test, url: string): Promise<Migrated> {
  const result: CliResult = await runCli(['migrate', url, '--format', 'json'])
  t.equal(result.code, 0, result.stderr)
  t.strictSame(schemaErrors('migrate-report', result.stdout), [])
  return JSON.parse(result.stdout) as Migrated
}

type Checked = { readonly code: number | null; readonly drift: readonly string[]; readonly ledgerCompared: boolean }

async function checked(t: Test, url: string): Promise<Checked> {
  const { code, stdout } = await runCli(['migrate', '--check', url, '--format', 'json'])
  t.strictSame(schemaErrors('migrate-check-report', stdout), [])
  const { drift, ledger_compared: ledgerCompared } = JSON.parse(stdout) as {
    drift: { object: string; code: string }[]
    ledger_compared: boolean
  }
  return { code, drift: drift.map(({ object, code }) => `${object} ${code}`), ledgerCompared }
}

async function ledgerOf(name: string): Promise<readonly unknown[]> {
  const rows = await server.sql('SELECT filename FROM _applied_migrations ORDER BY 1', name)
  return rows.map(({ filename }) => filename)
}

async function indexesOf(name: string): Promise<readonly unknown[]> {
  const sql = `SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_applied_migrations' ORDER BY 1`
  return (await server.sql(sql, name)).map(({ indexname }) => indexname)
}

/** The columns of versions 2 and 3, with their type and whether they take null. */
async function columnsOf(name: string): Promise<readonly unknown[]> {
  const sql = `SELECT concat_ws(' ', column_name, data_type, is_nullable) AS column FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name IN ('open_mode', 'uncompressed_bytes') ORDER BY 1`
  return (await server.sql(sql, name)).map(({ column }) => column)
}

async function tokenRoles(): Promise<readonly unknown[]> {
  const sql = `SELECT DISTINCT pg_get_userbyid(member)::text AS role FROM pg_auth_members
    WHERE pg_get_userbyid(roleid) = 'rds_iam' ORDER BY 1`
  return (await server.sql(sql)).map(({ role }) => role)
}

/** Number of the last applied migration file. */
type Level = '007' | '008' | '009' | '010'

/** Names of the migration files up to a level, as they appear in the ledger. */
function filesUpTo(level: string): readonly string[] {
  return FILES.map(([name]) => `${name}.sql`).filter(name => name.slice(0, 3) <= level)
}

/** Creates the database `name` with all files up to `level`. Its roles can log in with the server's password. */
async function createOtherRunnersDatabase(server: PostgresServer, name: string, level: string): Promise<void> {
  await server.createDatabase(name)
  const ledger = `CREATE TABLE public._applied_migrations (
    filename text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`
  await server.sql(ledger, name)
  const applied = new Set(filesUpTo(level))
  for (const [file, sql] of FILES.filter(([file]) => applied.has(`${file}.sql`)))
    await server.sql(`${sql}; INSERT INTO public._applied_migrations (filename) VALUES ('${file}.sql')`, name)
  for (const role of ['migrator', 'bench_ingest', 'bench_read'])
    await server.sql(
      `DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN
         ALTER ROLE ${role} PASSWORD '${server.password}'; END IF; END $$`,
    )
}
