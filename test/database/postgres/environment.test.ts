import t from 'tap'
import { execFile } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startPostgres } from '../../fixtures/postgres.js'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

const PROGRAM = `
import { connectPostgres } from './src/database/postgres/connect.ts'
import { parseDsn } from './src/database/postgres/dsn.ts'
try {
  const session = await connectPostgres(parseDsn(process.argv[1], { insecureLocal: false }))
  const rows = await session.query(\`SELECT current_user AS role, current_database() AS database, ssl,
    current_setting('application_name') AS name, current_setting('search_path') AS path,
    current_setting('work_mem') AS memory, current_setting('client_encoding') AS encoding
    FROM pg_stat_ssl WHERE pid = pg_backend_pid()\`)
  await session.close()
  console.log(JSON.stringify(rows[0]))
} catch (error) {
  console.log(JSON.stringify({ code: error.code, message: error.message }))
}`

/** Connects in a new process, because pg also reads the environment when it is loaded. */
async function connectIn(env: Record<string, string>, dsn: string): Promise<unknown> {
  const flags = [
    '--import',
    new URL('../../fixtures/typescript.js', import.meta.url).href,
    '--input-type=module',
    '--eval',
    PROGRAM,
    dsn,
  ]
  const { stdout } = await run(process.execPath, flags, { cwd: ROOT, env: { PATH: process.env.PATH, ...env } })
  return JSON.parse(stdout)
}

const HOSTILE = {
  NODE_PG_FORCE_NATIVE: '1',
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  PGHOST: '/tmp',
  PGHOSTADDR: '192.0.2.1',
  PGPORT: '1',
  PGUSER: 'intruder',
  PGDATABASE: 'elsewhere',
  PGPASSWORD: 'wrong-from-environment',
  PGSSLMODE: 'disable',
  PGSSLNEGOTIATION: 'nonsense',
  PGSSLROOTCERT: '/dev/null',
  PGOPTIONS: '-c work_mem=123kB -c search_path=pg_catalog',
  PGAPPNAME: 'intruder',
  PGREPLICATION: 'database',
  PGCLIENTENCODING: 'LATIN1',
  PGCLIENT_ENCODING: 'LATIN1',
  PGBINARY: '1',
  PGCONNECT_TIMEOUT: '0',
  PGSERVICE: 'nothing',
  PGTZ: 'Asia/Tokyo',
}

t.test('the environment', async t => {
  const server = await startPostgres(t, { tls: true })
  const usual = {
    ...{ role: 'postgres', database: 'postgres', ssl: true, name: 'vortex-ingest' },
    ...{ path: 'public', memory: '4MB', encoding: 'UTF8' },
  }

  await t.test('changes nothing about a connection', async t => {
    t.strictSame(await connectIn({}, server.adminUrl), usual)
    t.strictSame(await connectIn(HOSTILE, server.adminUrl), usual)
  })

  await t.test('cannot turn off verification', async t => {
    const dsn = server.adminUrl.replace(/\?.*/, '')
    t.match(await connectIn(HOSTILE, dsn), { code: 'target_misconfigured', message: /unknown authority/ })
  })

  await t.test('provides no password to the connection, neither by a variable nor by a password file', async t => {
    const home = t.testdir({ '.pgpass': `*:*:*:*:${server.password}\n` })
    await chmod(join(home, '.pgpass'), 0o600)
    const dsn = server.adminUrl.replace(`:${server.password}`, '')
    for (const env of [{ HOME: home }, { PGPASSFILE: join(home, '.pgpass') }, { PGPASSWORD: server.password }]) {
      t.match(await connectIn(env, dsn), { code: 'auth_failed', message: /asks for a password/ })
    }
  })
})
