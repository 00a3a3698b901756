import t, { type Test } from 'tap'
import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { connectPostgres } from '../../../src/database/postgres/connect.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import { sqlStateOf } from '../../../src/errors.js'
import { isConflict } from '../../../src/database/session-pool.js'
import type { PostgresSession } from '../../../src/database/postgres/session.js'
import { BEGIN } from '../../../src/database/session.js'
import { startPostgres, type PostgresServer } from '../../fixtures/postgres.js'

const server = await startPostgres(t, { tls: true, settings: { deadlock_timeout: '50ms' } })
await server.sql('CREATE TABLE public.notes (id bigint PRIMARY KEY, "Odd ""name""" text)')

async function open(t: Test, dsn = server.adminUrl): Promise<PostgresSession> {
  const session = await connectPostgres(parseDsn(dsn, { insecureLocal: false }))
  t.teardown(() => session.close())
  return session
}

t.test('copyIn stores escaped text exactly, also over many messages', async t => {
  const session = await open(t)
  const texts = ['tab\tnewline\nreturn\rbackslash\\', '\\N', '', 'ünïcödé 🐘', '\\.', 'x'.repeat(300_000)]
  const escape = (text: string) =>
    text.replace(/[\\\t\n\r]/g, character => `\\${{ '\\': '\\', '\t': 't', '\n': 'n', '\r': 'r' }[character]}`)
  const rows = texts.map((text, i) => `${9007199254740993n + BigInt(i)}\t${escape(text)}\n`)

  await session.execute('TRUNCATE notes')
  await session.copyIn({ table: 'notes', columns: ['id', 'Odd "name"'] }, Buffer.from(rows.join('')))

  const stored = await session.query('SELECT id::text, "Odd ""name""" AS text FROM notes ORDER BY id')
  t.strictSame(
    stored,
    texts.map((text, i) => ({ id: String(9007199254740993n + BigInt(i)), text })),
  )
})

t.test('copyIn of nothing copies nothing', async t => {
  const session = await open(t)
  await session.execute('TRUNCATE notes')
  await session.copyIn({ table: 'notes', columns: ['id'] }, new Uint8Array())
  t.strictSame(await session.query('SELECT count(*)::int FROM notes'), [{ count: 0 }])
})

t.test('the error for a bad row in copyIn names line and column, and the session remains usable', async t => {
  const session = await open(t)
  // Far more than a socket's buffer behind the bad row, so that it fails while data is still being sent.
  const data = Buffer.from('1\tok\nnot a number\tx\n' + `2\t${'y'.repeat(1000)}\n`.repeat(100_000))

  await t.rejects(session.copyIn({ table: 'notes', columns: ['id', 'Odd "name"'] }, data), {
    code: 'bad_data',
    message: /invalid input syntax for type bigint.*line 2, column id/,
  })

  t.strictSame(await session.query('SELECT 1 AS one'), [{ one: 1 }])
  await t.rejects(session.copyIn({ table: 'gone', columns: ['id'] }, data), { code: 'target_misconfigured' })
  t.strictSame(await session.query('SELECT 2 AS two'), [{ two: 2 }])
})

t.test('execute runs several statements, query takes parameters', async t => {
  const session = await open(t)
  await session.execute('CREATE TEMP TABLE s (v int); INSERT INTO s VALUES (1), (2); DELETE FROM s WHERE v = 1')
  t.strictSame(await session.query('SELECT v + $1::int AS v, $2::text AS n FROM s', [40, null]), [{ v: 42, n: null }])
  await t.rejects(session.execute('SELECT 1; SELECT nonsense'), { code: 'target_misconfigured' })
})

t.test('a COMMIT that rolled back is an error', async t => {
  const session = await open(t)
  await session.execute('BEGIN')
  await t.rejects(session.query('SELECT 1 / 0'), { code: 'bad_data', message: /division by zero/ })
  await t.rejects(session.execute('COMMIT'), { code: 'target_failed', message: /rolled back/ })
  await session.execute('BEGIN; ROLLBACK')
})

const SETTINGS = [
  ...['search_path', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings'],
  ...['client_connection_check_interval', 'application_name', 'statement_timeout'],
]
const EXPECTED = ['public', 'UTF8', 'ISO, MDY', 'UTC', 'on', '1s', 'vortex-ingest', '7s']

async function readSettings(session: PostgresSession): Promise<unknown[]> {
  const columns = SETTINGS.map(name => `current_setting('${name}') AS "${name}"`).join(', ')
  const [row] = await session.query<Record<string, unknown>>(`SELECT ${columns}`)
  return Object.values(row ?? {})
}

t.test('settings of the role do not override ours, and its statement_timeout stays in force', async t => {
  await server.sql(`
    CREATE ROLE odd LOGIN PASSWORD '${server.password}';
    ALTER ROLE odd SET search_path = pg_catalog;
    ALTER ROLE odd SET standard_conforming_strings = off;
    ALTER ROLE odd SET client_encoding = 'LATIN1';
    ALTER ROLE odd SET "TimeZone" = 'Asia/Tokyo';
    ALTER ROLE odd SET "DateStyle" = 'German';
    ALTER ROLE odd SET statement_timeout = '7s'`)
  const session = await open(t, server.url('postgres', 'odd'))
  t.strictSame(await readSettings(session), EXPECTED)
  await session.execute('RESET ALL')
  t.strictSame(await readSettings(session), EXPECTED, 'RESET ALL returns to ours')
})

t.test('the application name can be given in the URL', async t => {
  const session = await open(t, `${server.adminUrl}&application_name=nightly`)
  t.strictSame(await session.query(`SELECT current_setting('application_name') AS name`), [{ name: 'nightly' }])
})

t.test('an old server that rejects a setting at login gets the settings afterwards', async t => {
  const plain = await startPostgres(t)
  const session = await openThroughPicky(t, plain, {
    ...{ state: '42704', message: 'unrecognized configuration parameter "client_connection_check_interval"' },
  })
  t.strictSame((await readSettings(session)).slice(0, 7), EXPECTED.slice(0, 7))
})

t.test(
  'a pooler that refuses them gets none for the session, which others use next, but each transaction does',
  async t => {
    const plain = await startPostgres(t)
    const session = await openThroughPicky(t, plain, {
      ...{ state: '08P01', message: 'unsupported startup parameter: search_path' },
    })
    t.strictSame((await readSettings(session)).slice(0, 6), ['"$user", public', ...EXPECTED.slice(1, 5), '0'])
    await session.execute(BEGIN)
    t.strictSame((await readSettings(session)).slice(0, 5), EXPECTED.slice(0, 5))
    await session.execute('COMMIT')
    t.equal((await readSettings(session))[0], '"$user", public')
  },
)

t.test('a closed session rejects calls and may be closed again', async t => {
  const session = await open(t)
  await session.close()
  await session.close()
  await t.rejects(session.query('SELECT 1'), { code: 'internal', message: /closed/ })
})

t.test('a closed session disconnects from the server', async t => {
  const session = await open(t)
  const [row] = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  await session.close()
  const left = async () => (await server.sql(`SELECT FROM pg_stat_activity WHERE pid = ${row?.pid}`)).length === 0
  while (!(await left()));
  t.pass('gone')
})

t.test('a deadlock is recognised as retryable through the chain of causes', async t => {
  const [one, two] = [await open(t), await open(t)]
  await one.execute('TRUNCATE notes; INSERT INTO notes VALUES (1), (2)')
  await one.execute('BEGIN; UPDATE notes SET id = id WHERE id = 1')
  await two.execute('BEGIN; UPDATE notes SET id = id WHERE id = 2')

  const results = await Promise.allSettled([
    one.execute('UPDATE notes SET id = id WHERE id = 2'),
    two.execute('UPDATE notes SET id = id WHERE id = 1'),
  ])

  const reasons = results.flatMap(result => (result.status === 'rejected' ? [result.reason as unknown] : []))
  t.equal(reasons.length, 1)
  t.match(reasons[0], { code: 'target_busy', message: /deadlock detected/ })
  t.equal(sqlStateOf(reasons[0]), '40P01')
  t.ok(isConflict(reasons[0]))
  t.ok(isConflict(new Error('outer', { cause: reasons[0] })))
  t.notOk(isConflict(new Error('another')))
  await Promise.all([one.execute('ROLLBACK'), two.execute('ROLLBACK')])
})

type Refusal = { readonly state: string; readonly message: string }

async function openThroughPicky(t: Test, plain: PostgresServer, refusal: Refusal): Promise<PostgresSession> {
  const port = await startPickyPooler(t, { port: plain.port, ...refusal })
  const dsn = plain.adminUrl.replace(`:${plain.port}/`, `:${port}/`)
  const session = await connectPostgres(parseDsn(dsn, { insecureLocal: true }))
  t.teardown(() => session.close())
  return session
}

type Picky = Refusal & { readonly port: number }

/** A proxy that rejects a start-up packet with `search_path` like PgBouncer or an old server, and forwards everything else. */
async function startPickyPooler(t: Test, { port, state, message }: Picky): Promise<number> {
  const refusal = Buffer.from(`SFATAL\0C${state}\0M${message}\0\0`)
  const head = Buffer.from([0x45, 0, 0, 0, refusal.length + 4])
  const onConnection = (client: Socket) => {
    client.once('data', packet => {
      if (packet.includes('search_path')) return client.end(Buffer.concat([head, refusal]))
      const upstream = connect(port, '127.0.0.1')
      upstream.on('error', () => client.destroy())
      upstream.write(packet)
      client.pipe(upstream).pipe(client)
    })
    client.on('error', () => client.destroy())
  }
  const pooler = createServer(onConnection).listen(0, '127.0.0.1')
  await once(pooler, 'listening')
  t.teardown(() => pooler.close())
  return (pooler.address() as AddressInfo).port
}
