/** The program behind a real pgbouncer in transaction mode, where each transaction may meet another connection. */

import t, { type Test } from 'tap'
import pg from 'pg'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { findPgbouncer, startPgbouncer, type PgbouncerOptions } from '../fixtures/pgbouncer.js'
import { envelope, commit } from '../server/fixtures/envelopes.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { manyQueries, query, SHA, writeCommit, writeLines } from './fixtures/records.js'
import { send, startServe, stop } from './fixtures/serve.js'

const program = await findPgbouncer()
if (program === undefined)
  t.pass('pgbouncer', { skip: 'pgbouncer is not installed (Debian: apt-get install pgbouncer)' })
else await testBehind(program)

async function testBehind(program: string): Promise<void> {
  const { server, createDatabase } = await startMigratedPostgres(t)
  const start = (test: Test, options: PgbouncerOptions = {}) => startPgbouncer(test, program, server, options)
  const pooler = await start(t)

  const pushTo = (url: string, count: number, more: readonly string[] = []): Promise<CliResult> => {
    const cwd = t.testdir({})
    const file = writeLines(cwd, 'f.jsonl', manyQueries(count))
    return runCli(['push', file, '--commit', writeCommit(cwd), '--postgres', url, '--format', 'json', ...more])
  }

  t.test('a small and a large file land, and again', async t => {
    const database = await createDatabase()
    const url = pooler.through(database.url)
    for (const [count, inserted] of [
      [300, 300],
      [30_000, 29_700],
      [30_000, 0],
    ] as const) {
      const { code, stdout, stderr } = await pushTo(url, count)
      t.equal(code, 0, stderr)
      t.match(JSON.parse(stdout), { inserted, updated: count - inserted, targets: [{ retries: [] }] })
    }
    t.equal(await database.countRows(), 30_000)
    const cwd = t.testdir({})
    const verified = await runCli([
      'verify',
      writeLines(cwd, 'f.jsonl', manyQueries(30_000)),
      '--extra',
      '--postgres',
      url,
    ])
    t.equal(verified.code, 0, verified.stderr)
  })

  t.test('fourteen processes share three connections', async t => {
    const cwd = t.testdir({})
    const database = await createDatabase()
    const args = ['--commit', writeCommit(cwd), '--postgres', pooler.through(database.url), '--format', 'json']
    const results = await Promise.all(
      Array.from({ length: 14 }, (_, writer) => {
        const lines = Array.from({ length: 500 }, (_, i) => query({ query_idx: i < 250 ? i : i + 500 * (writer + 1) }))
        return runCli(['push', writeLines(cwd, `${writer}.jsonl`, lines), ...args], { timeoutMs: 60_000 })
      }),
    )
    t.strictSame([...new Set(results.map(({ code, stderr }) => `${code} ${stderr}`))], ['0 '])
    const inserted = results.reduce((all, { stdout }) => all + (JSON.parse(stdout) as { inserted: number }).inserted, 0)
    t.equal(inserted, 250 + 14 * 250)
    t.equal(await database.countRows(), inserted)
  })

  t.test('the schema is public whatever the role prefers, and the next client finds nothing of ours', async t => {
    const database = await createDatabase()
    await database.sql(`
      CREATE SCHEMA decoy; GRANT USAGE ON SCHEMA decoy TO bench_ingest;
      CREATE TABLE decoy.staged_query_measurements (LIKE public.query_measurements);
      ALTER ROLE bench_ingest IN DATABASE ${database.name} SET search_path = decoy, pg_temp`)
    const ignoring = await start(t, {
      settings: { ignore_startup_parameters: 'search_path, client_connection_check_interval' },
    })
    for (const one of [pooler, ignoring]) {
      const url = one.through(database.url)
      const { code, stderr } = await pushTo(url, 5_000)
      t.equal(code, 0, stderr)
      t.strictSame(await askAsNextClient(url, 'SHOW search_path'), [{ search_path: 'decoy, pg_temp' }])
      t.strictSame(await askAsNextClient(url, 'SHOW work_mem'), [{ work_mem: '4MB' }])
      t.strictSame(await askAsNextClient(url, `SELECT relname FROM pg_class WHERE relpersistence = 't'`), [])
    }
    t.equal(await database.countRows(), 5_000)
  })

  t.test('it migrates, and finds nothing left to do', async t => {
    await server.createDatabase('fresh')
    const url = pooler.through(server.url('fresh'))
    const [first, second] = await Promise.all([runCli(['migrate', url]), runCli(['migrate', url])])
    t.strictSame([first.code, second.code], [0, 0], first.stderr + second.stderr)
    const { code, stdout } = await runCli(['migrate', '--check', url])
    t.equal(code, 0, stdout)
  })

  t.test('serve stores through it', async t => {
    const database = await createDatabase()
    const serving = await startServe(['--store', pooler.through(database.url)], { cwd: t.testdir({}) })
    const bodies = Array.from({ length: 14 }, (_, writer) =>
      envelope([query({ query_idx: 0 }), query({ query_idx: writer + 1 })], { commit: commit(SHA) }),
    )
    const answers = await Promise.all(bodies.map(body => send(serving, body)))
    t.strictSame([...new Set(answers.map(({ status }) => status))], [200])
    t.equal(await database.countRows(), 15)
    t.match(await (await fetch(`${serving.url}/health`)).json(), { store: { kind: 'postgres', reachable: true } })
    t.equal((await stop(serving)).code, 0)
  })

  t.test('a wrong password and an unknown user are refused at once', async t => {
    const { url } = await createDatabase()
    const through = pooler.through(url)
    for (const wrong of [through.replace(server.password, 'wrong'), through.replace('bench_ingest', 'somebody')]) {
      const { code, stdout, stderr } = await pushTo(wrong, 1)
      t.equal(code, 77, stderr)
      t.match(stderr, /authentication failed\nhint: check user and password/)
      t.match(JSON.parse(stdout), { targets: [{ attempts: 1, retries: [] }] })
    }
  })

  t.test('a pooler that works as another role on the server does not get around the role policy', async t => {
    const database = await createDatabase()
    const promoting = await start(t, { serverRole: 'postgres' })
    const { code, stderr } = await pushTo(promoting.through(database.url), 1)
    t.equal(code, 78, stderr)
    t.match(stderr, /the role is postgres, not bench_ingest/)
  })

  t.test('a pooler that takes no transactions is named as the reason', async t => {
    const database = await createDatabase()
    const statements = await start(t, { settings: { pool_mode: 'statement' } })
    const { code, stderr } = await pushTo(statements.through(database.url), 1)
    t.equal(code, 78, stderr)
    t.match(stderr, /the pooler takes no transactions.*\nhint: set pool_mode to transaction/)
    t.equal(await database.countRows(), 0)
  })

  t.test('a server that goes while the pooler stays is waited for until it is back', async t => {
    const database = await createDatabase()
    const url = pooler.through(database.url)
    t.equal((await pushTo(url, 1)).code, 0)
    await server.restart()
    const { code, stdout, stderr } = await pushTo(url, 2)
    t.equal(code, 0, stderr)
    t.match(JSON.parse(stdout), { inserted: 1, updated: 1 })
  })
}

/** In the pool of the role that pushed, so on one of the connections it had. */
async function askAsNextClient(url: string, text: string): Promise<readonly unknown[]> {
  const client = new pg.Client({
    connectionString: url.replace(/\?.*/, ''),
    ssl: { rejectUnauthorized: false },
  })
  await client.connect()
  try {
    return (await client.query<object>(text)).rows
  } finally {
    await client.end()
  }
}
