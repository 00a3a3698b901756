/** A server that gives up on its own rules: full disk, restart, time limits, read-only. Never half a file, always a reason. */

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { runCli, startCli, untilDone, type CliResult } from '../fixtures/cli.js'
import { startPostgres } from '../fixtures/postgres.js'
import { holding, startMigratedPostgres, type Database } from './fixtures/database.js'
import { COMMIT, manyQueries, query, writeCommit, writeLines } from '../fixtures/records.js'

const { server, createDatabase } = await startMigratedPostgres(t)
const cwd = t.testdir({})
let files = 0

function pushOf(lines: readonly string[], url: string, message = COMMIT.message): readonly string[] {
  const commit = writeCommit(cwd, { ...COMMIT, message })
  return ['push', writeLines(cwd, `${++files}.jsonl`, lines), '--commit', commit, '--postgres', url, '--format', 'json']
}

const push = (lines: readonly string[], url: string, message?: string): Promise<CliResult> =>
  runCli(pushOf(lines, url, message))

/** For all that are yet to log in to this database. */
function setForRole({ sql, name }: Database, settings: Readonly<Record<string, string>>): Promise<unknown> {
  const all = Object.entries(settings).map(
    ([setting, value]) => `ALTER ROLE bench_ingest IN DATABASE ${name} SET ${setting} = '${value}'`,
  )
  return sql(all.join(';'))
}

/** Makes each writer of the commit's row hold its lock for this long. */
function slowCommit({ sql }: Database, seconds: number): Promise<unknown> {
  return sql(`
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(${seconds}); RETURN NEW; END $$;
    CREATE TRIGGER slow AFTER INSERT OR UPDATE ON commits FOR EACH ROW EXECUTE FUNCTION slow()`)
}

async function leftIn(database: Database): Promise<unknown> {
  return { rows: await database.countRows(), commits: await database.sql('SELECT message FROM commits') }
}

t.test('a disk that fills up during a push is reported with a hint, and stored rows are unchanged', async t => {
  const small = await startMigratedPostgres(t, { maxFileMiB: 17 })
  const database = await small.createDatabase()
  // A kilobyte that does not compress, so that 12,000 rows fit under the limit and 24,000 do not.
  const bulky = (from: number): string[] =>
    Array.from({ length: 12_000 }, (_, index) =>
      query({ query_idx: from + index, env_triple: randomBytes(500).toString('hex') }),
    )
  const fitting = bulky(0)
  const first = await push(fitting, database.url, 'fits')
  t.equal(first.code, 0, first.stderr)

  const { code, stderr } = await push(bulky(12_000), database.url, 'does not fit')

  t.equal(code, 69, stderr)
  t.match(stderr, /^error: postgres:\S+: could not (extend|write).*\nhint: .*free disk space/)
  t.strictSame(await leftIn(database), { rows: 12_000, commits: [{ message: 'fits' }] })
  t.equal((await push(fitting, database.url)).code, 0, 'the server goes on')
})

t.test('a server that is restarted between COPY and COMMIT is waited for', async t => {
  const database = await createDatabase()
  await slowCommit(database, 0.7)
  const cli = startCli(pushOf(manyQueries(5_000), database.url))
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = '${database.name}' AND wait_event = 'PgSleep'`
  await untilDone(cli, async () => (await server.sql(waiting)).length === 1)
  await server.restart()
  const { code, stdout, stderr } = await cli.result
  t.equal(code, 0, stderr)
  const [target] = (JSON.parse(stdout) as { targets: { inserted: number; retries: { error: string }[] }[] }).targets
  t.equal(target?.inserted, 5_000)
  t.match(target?.retries[0]?.error, /terminating connection|connection was lost/)
  t.equal(await database.countRows(), 5_000)
})

t.test('a lock_timeout is one more reason to try again, until the time is spent', async t => {
  const database = await createDatabase()
  await setForRole(database, { lock_timeout: '100ms' })
  t.equal((await push([query()], database.url, 'first')).code, 0)
  // Longer than the two processes can differ in their start.
  await slowCommit(database, 1)
  const both = await Promise.all([
    push(manyQueries(10), database.url, 'second'),
    push(manyQueries(20), database.url, 'third'),
  ])
  t.strictSame(
    both.map(({ code }) => code),
    [0, 0],
  )
  t.match(both.map(({ stdout }) => stdout).join(), /lock timeout/)
  t.equal(await database.countRows(), 21)

  const letGo = holding(database, 'SELECT FROM commits FOR UPDATE')
  const { code, stderr } = await runCli([...pushOf([query()], database.url), '--retry-deadline', '0.3'])
  t.equal(code, 69, stderr)
  t.match(stderr, /lock timeout.*\nhint: .*lock_timeout/)
  await letGo()
})

t.test('a transaction_timeout of the role is named', async t => {
  const database = await createDatabase()
  await setForRole(database, { transaction_timeout: '300ms' })
  await slowCommit(database, 3)
  const { code, stderr } = await push([query()], database.url)
  t.equal(code, 69)
  t.match(stderr, /transaction timeout.*\nhint: .*transaction_timeout/)
  t.strictSame(await leftIn(database), { rows: 0, commits: [] })
})

t.test('a role or a standby that only reads is named as such', async t => {
  const database = await createDatabase()
  await setForRole(database, { default_transaction_read_only: 'on' })
  const standby = await startPostgres(t, { standby: true })
  for (const [records, url, ...more] of [
    [[query()], database.url],
    // Enough for staging tables: the standby has none of ours, and says so first to who asks for one.
    [manyQueries(6_000), standby.adminUrl.replace('?sslmode=disable', ''), '--insecure-local'],
  ] as const) {
    const { code, stderr } = await runCli([...pushOf(records, url), ...more])
    t.equal(code, 78, stderr)
    t.match(stderr, /read-only transaction\nhint: it may be a replica: connect to the primary/)
  }
  t.strictSame(await leftIn(database), { rows: 0, commits: [] })
})
