import t from 'tap'
import { runCli } from '../fixtures/cli.js'
import { startPostgres } from '../fixtures/postgres.js'

const server = await startPostgres(t, { tls: true })
const FILES = ['001_tables.sql', '002_indexes.sql', '003_roles.sql']

t.test('a fresh database gets every migration, and the second time none', async t => {
  const url = await server.createDatabase('fresh')
  const first = await runCli(['migrate', url])
  const again = await runCli(['migrate', url])
  t.strictSame([first.code, again.code], [0, 0])
  t.match(
    first.stdout,
    /^migrated: postgres:\/\/postgres@\S+: applied 3 migrations, 0 already there\n {2}001_tables\.sql\n/,
  )
  t.match(again.stdout, /nothing to do, 3 already there/)
  const ledger = await server.sql('SELECT name FROM _applied_migrations ORDER BY name', 'fresh')
  t.strictSame(
    ledger.map(({ name }) => name),
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

t.test('a role that may not make tables is told so, and nothing is applied', async t => {
  const url = await server.createDatabase('poor')
  await server.sql(`DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN PASSWORD '${server.password}'`)
  const { code, stderr } = await runCli([
    'migrate',
    url.replace('postgres:', 'poor:').replace('poor://', 'postgres://').replace('//postgres:', '//poor:'),
  ])
  t.equal(code, 77, stderr)
  t.match(stderr, /permission denied/)
})

t.test('the embedded database is made and migrated', async t => {
  const cwd = t.testdir()
  const { code, stdout } = await runCli(['migrate'], { cwd })
  t.equal(code, 0)
  t.match(stdout, /the embedded database in \.vortex-ingest: applied 3 migrations/)
})
