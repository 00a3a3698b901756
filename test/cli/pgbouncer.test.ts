/** The program behind a real pgbouncer in transaction mode, where each transaction may meet another connection. */

import t, { type Test } from 'tap'
import pg from 'pg'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { envelope, commit } from '../server/fixtures/envelopes.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { manyQueries, query, SHA, writeCommit, writeLines } from '../fixtures/records.js'
import { send, startServe, stop } from './fixtures/serve.js'
import { once } from 'node:events'
import { randomInt } from 'node:crypto'
import { access, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { makeAuthority, makeCertificate } from '../fixtures/certificates.js'
import { accountForServer, giveTo, keepServer, makeWorkFolder } from '../fixtures/kept-server.js'
import type { PostgresServer } from '../fixtures/postgres.js'

// Debian installs daemons in folders that are not on an ordinary user's PATH.
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

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

  t.test(
    "the schema is public whatever the role's search_path, and no session state is left for the next client",
    async t => {
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
    },
  )

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

type Pgbouncer = {
  readonly port: number
  /** Rewrites a URL of the Postgres server so that it goes through the pooler. */
  through(url: string): string
  /** The pooler's complete log. */
  log(): string
}

type PgbouncerOptions = {
  /** Number of connections to Postgres per user and database. Default: 3. */
  readonly poolSize?: number
  /** Additional lines of the section `[pgbouncer]`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Role that all clients have on the server, whatever their role at the pooler. Default: their own role. */
  readonly serverRole?: string
}

/** Path of pgbouncer, or undefined when it is not installed. */
async function findPgbouncer(): Promise<string | undefined> {
  for (const folder of FOLDERS) {
    const file = join(folder, 'pgbouncer')
    const found = await access(file).then(
      () => true,
      () => false,
    )
    if (found) return file
  }
  return undefined
}

/** Starts pgbouncer until the test ends. `program` is the path from `findPgbouncer`. */
async function startPgbouncer(
  t: Test,
  program: string,
  server: PostgresServer,
  options: PgbouncerOptions = {},
): Promise<Pgbouncer> {
  const dir = await makeWorkFolder('pgbouncer')
  const authority = await makeAuthority(dir)
  await makeCertificate(dir, { authority })
  const port = randomInt(20_000, 32_000)
  const passwords = { postgres: server.password, bench_ingest: server.password }
  await writeFile(join(dir, 'users.txt'), Object.entries(passwords).map(quotePair).join('\n'))
  await writeFile(join(dir, 'pgbouncer.ini'), settingsText(dir, port, server, options))
  const account = await accountForServer()
  await giveTo(account, dir)
  const child = keepServer({ command: [program, join(dir, 'pgbouncer.ini')], dir, account, stopSignal: 'TERM' })
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text))
  t.teardown(async () => {
    if (child.exitCode === null) {
      child.stdin?.end()
      await once(child, 'exit')
    }
    await rm(dir, { recursive: true, force: true })
  })
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`pgbouncer did not start:\n${log}`)
    await setTimeout(10)
  }
  const through = (url: string): string =>
    url
      .replace(`:${server.port}/`, `:${port}/`)
      .replace(/sslrootcert=[^&]*/, `sslrootcert=${encodeURIComponent(authority.file)}`)
  return { port, through, log: () => log }
}

function quotePair([user, password]: readonly [string, string]): string {
  return `"${user}" "${password}"`
}

function settingsText(dir: string, port: number, server: PostgresServer, options: PgbouncerOptions): string {
  const settings = {
    ...{ listen_addr: '127.0.0.1', listen_port: port, unix_socket_dir: '' },
    ...{ auth_type: 'scram-sha-256', auth_file: join(dir, 'users.txt') },
    ...{ pool_mode: 'transaction', default_pool_size: options.poolSize ?? 3, max_client_conn: 100 },
    ...{ client_tls_sslmode: 'require', client_tls_cert_file: join(dir, 'server.crt') },
    ...{ client_tls_key_file: join(dir, 'server.key') },
    ...(server.caFile !== undefined && { server_tls_sslmode: 'verify-full', server_tls_ca_file: server.caFile }),
    ...options.settings,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  const role = options.serverRole === undefined ? '' : ` user=${options.serverRole}`
  return ['[databases]', `* = host=${server.host} port=${server.port}${role}`, '[pgbouncer]', ...lines, ''].join('\n')
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
