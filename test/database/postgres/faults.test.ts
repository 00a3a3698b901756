import t, { type Test } from 'tap'
import { waitUntil } from '../../fixtures/wait-until.js'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { IngestError } from '../../../src/errors.js'
import { connectPostgres, type ConnectOptions, type PostgresSession } from '../../../src/database/postgres/connect.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import { startPostgres } from '../../fixtures/postgres.js'
import { startTcpProxy, type TcpProxy } from '../../fixtures/tcp-proxy.js'

const STRICT = { insecureLocal: false }
const server = await startPostgres(t, { tls: true })
await server.sql('CREATE TABLE public.lines (id int, text text)')

const NOTES = { table: 'lines', columns: ['id', 'text'] }
const MEGABYTES = Buffer.from(`1\t${'x'.repeat(1000)}\n`.repeat(8000))

// Checks that the process survives. tap itself would only fail the test that happens to run.
process.on('uncaughtException', error => t.fail('uncaught', { error }))
process.on('unhandledRejection', error => t.fail('unhandled', { error }))

async function openThrough(t: Test, proxy: TcpProxy, options: ConnectOptions = {}): Promise<PostgresSession> {
  const dsn = server.adminUrl.replace(`:${server.port}/`, `:${proxy.port}/`)
  const session = await connectPostgres(parseDsn(dsn, STRICT), options)
  t.teardown(() => session.close())
  return session
}

async function untilForwarded(proxy: TcpProxy, bytes: number): Promise<void> {
  while (proxy.forwarded.up < bytes) await setImmediate()
}

/** Waits until the server runs a statement that sleeps. */
function untilSleeping(): Promise<void> {
  const sleeping = `SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'`
  return waitUntil(async () => (await server.sql(sleeping)).length > 0)
}

/** Waits until no client holds the table and returns what a transaction left in it. */
async function rowsLeft(): Promise<unknown> {
  const [row] = await server.sql(
    'BEGIN; LOCK lines; SELECT count(*)::int FROM lines; COMMIT; SELECT count(*)::int FROM lines',
  )
  return row?.count
}

t.beforeEach(() => server.sql('TRUNCATE lines'))

t.test('a connection cut in the middle of COPY rejects, rolls back and ends the session', async t => {
  for (const fault of ['cut', 'reset'] as const) {
    const proxy = await startTcpProxy(t, { port: server.port })
    const session = await openThrough(t, proxy)
    await session.execute('BEGIN')
    if (fault === 'cut') proxy.cutAfter(1_000_000)
    else
      void untilForwarded(proxy, 1_000_000).then(() => {
        proxy.reset()
      })

    const copying = session.copyIn(NOTES, MEGABYTES)

    await t.rejects(copying, { code: 'target_unreachable', message: /the connection was lost/ }, fault)

    await t.rejects(session.query('SELECT 1'), { code: 'target_unreachable' }, 'and so does every call after it')
    t.equal(await rowsLeft(), 0)
  }
})

t.test('a connection lost between calls rejects the next one', async t => {
  for (const lose of ['reset', 'close'] as const) {
    const proxy = await startTcpProxy(t, { port: server.port })
    const session = await openThrough(t, proxy)
    await proxy[lose]()
    await setTimeout(50)
    await t.rejects(session.query('SELECT 1'), { code: 'target_unreachable', message: /the connection was lost/ }, lose)
  }
})

t.test('a session ended by the server rejects running and later calls', async t => {
  const proxy = await startTcpProxy(t, { port: server.port })
  const session = await openThrough(t, proxy)
  const [row] = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const sleeping = session.query('SELECT pg_sleep(60)')

  await Promise.all([
    t.rejects(sleeping, { code: 'target_unreachable', message: /terminating connection/ }),
    server.sql(`SELECT pg_terminate_backend(${row?.pid})`),
  ])

  await t.rejects(session.query('SELECT 1'), { code: 'target_unreachable' })
})

t.test('a lost answer to COMMIT is an error, although the server committed', async t => {
  const proxy = await startTcpProxy(t, { port: server.port })
  const session = await openThrough(t, proxy)
  await session.execute(`BEGIN; INSERT INTO lines VALUES (1, 'kept')`)
  proxy.cutAfter(0, 'down')

  await t.rejects(session.execute('COMMIT'), { code: 'target_unreachable' })

  t.equal(await rowsLeft(), 1)
})

t.test(
  'a network that falls silent is given up: soon while there is something to send, late while there is not',
  async t => {
    for (const start of ['query', 'copy'] as const) {
      const proxy = await startTcpProxy(t, { port: server.port })
      const session = await openThrough(t, proxy, { queryTimeoutMs: 200, answerTimeoutMs: 500 })
      proxy.blackHole()
      // More than fits in the buffers of the sockets and the proxy.
      const call: Promise<unknown> =
        start === 'query' ? session.execute('SELECT 1') : session.copyIn(NOTES, Buffer.concat([MEGABYTES, MEGABYTES]))
      const message = start === 'query' ? /no answer for 0\.5 s/ : /(nothing could be sent|no answer) for 0\.[25] s/
      await t.rejects(call, { code: 'target_unreachable', message, hint: /server/ }, start)
      await proxy.close()
    }
  },
)

t.test('the idle timeout ends neither a long call whose bytes move nor a session between calls', async t => {
  const proxy = await startTcpProxy(t, { port: server.port })
  const session = await openThrough(t, proxy, { queryTimeoutMs: 1_500 })
  // Rows larger than the server's send buffer leave it at once, one every 60 ms for 1.8 s.
  const rows = await session.query(`SELECT repeat('x', 10000) AS x, pg_sleep(0.06)::text FROM generate_series(1, 30)`)
  t.equal(rows.length, 30)
  await setTimeout(1_600)
  t.strictSame(await session.query('SELECT 1 AS one'), [{ one: 1 }])
})

t.test('a server that works for a long time is waited for', async t => {
  const proxy = await startTcpProxy(t, { port: server.port })
  const session = await openThrough(t, proxy, { queryTimeoutMs: 100 })
  await session.execute('SELECT pg_sleep(1)')
  t.strictSame(await session.query('SELECT 1 AS one'), [{ one: 1 }])
})

t.test('connecting to a host that never answers ends after the timeout', async t => {
  const proxy = await startTcpProxy(t, { port: server.port })
  proxy.blackHole()
  await t.rejects(openThrough(t, proxy, { connectTimeoutMs: 100 }), {
    code: 'target_unreachable',
    message: /no answer in time/,
  })
})

t.test('a connection cut at any byte during login gives a clear error', async t => {
  const whole = await startTcpProxy(t, { port: server.port })
  await (await openThrough(t, whole)).close()
  for (const direction of ['up', 'down'] as const) {
    const bytes = whole.forwarded[direction]
    for (let after = 0; after < bytes - 30; after += 97) {
      const proxy = await startTcpProxy(t, { port: server.port })
      proxy.cutAfter(after, direction)
      const error: unknown = await openThrough(t, proxy).catch((error: unknown) => error)
      t.match(error, { code: 'target_unreachable', hint: /./ }, `${direction} ${after}`)
      await proxy.close()
    }
  }
})

t.test('an abort rolls back and rejects running and later calls', async t => {
  for (const call of ['copy', 'query'] as const) {
    const abort = new AbortController()
    const proxy = await startTcpProxy(t, { port: server.port })
    const session = await openThrough(t, proxy, { signal: abort.signal })
    await session.execute(`BEGIN; INSERT INTO lines VALUES (1, 'gone')`)
    const underWay = call === 'copy' ? untilForwarded(proxy, proxy.forwarded.up + 1_000_000) : untilSleeping()
    const running: Promise<unknown> =
      call === 'copy' ? session.copyIn(NOTES, MEGABYTES) : session.execute('SELECT pg_sleep(60)')
    void underWay.then(() => {
      abort.abort()
    })

    await t.rejects(running, { code: 'interrupted' }, call)

    await t.rejects(session.query('SELECT 1'), { code: 'interrupted' })
    const startedAt = Date.now()
    t.equal(await rowsLeft(), 0)
    t.ok(Date.now() - startedAt < 5000, 'the server noticed soon, in the middle of a statement too')
  }
})

t.test('after an abort between calls, or before the first one, later calls reject with its reason', async t => {
  const reason = new IngestError('terminated', 'got SIGTERM')
  const abort = new AbortController()
  const proxy = await startTcpProxy(t, { port: server.port })
  const session = await openThrough(t, proxy, { signal: abort.signal })
  abort.abort(reason)
  await t.rejects(session.query('SELECT 1'), reason)
  await t.rejects(openThrough(t, proxy, { signal: abort.signal }), reason)
})

t.test('an abort while connecting stops at once', async t => {
  const proxy = await startTcpProxy(t, { port: server.port })
  proxy.blackHole()
  const abort = new AbortController()
  void setTimeout(20).then(() => {
    abort.abort()
  })
  const startedAt = Date.now()
  await t.rejects(openThrough(t, proxy, { signal: abort.signal }), { code: 'interrupted' })
  t.ok(Date.now() - startedAt < 5_000)
})

t.test('closing does not wait for a server that no longer answers', async t => {
  const proxy = await startTcpProxy(t, { port: server.port })
  const session = await openThrough(t, proxy)
  proxy.blackHole()
  const startedAt = Date.now()
  await session.close()
  t.ok(Date.now() - startedAt < 1_800)
})

t.test('many sessions on one signal leave no listeners behind', async t => {
  const abort = new AbortController()
  const proxy = await startTcpProxy(t, { port: server.port })
  const warnings: unknown[] = []
  const note = (warning: unknown) => warnings.push(warning)
  process.on('warning', note)
  for (let i = 0; i < 15; i++) await (await openThrough(t, proxy, { signal: abort.signal })).close()
  await setImmediate()
  process.off('warning', note)
  t.strictSame(warnings, [])
})
