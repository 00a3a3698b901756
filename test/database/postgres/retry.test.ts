/**
 * Deliveries whose connection is lost at any byte and any step are applied completely or not at all, and completely after a
 * retry.
 */

import t, { type Test } from 'tap'
import { connectPostgres } from '../../../src/database/postgres/connect.js'
import { parseDsn, type PostgresAddress } from '../../../src/database/postgres/dsn.js'
import { migrate } from '../../../src/database/migrate.js'
import { postgresSink, type PostgresSinkOptions } from '../../../src/targets/postgres/sink.js'
import type { Delivery, Receipt } from '../../../src/source/delivery.js'
import type { Sink } from '../../../src/targets/sink.js'
import { deliveryOf, size } from '../../fixtures/delivery.js'
import { COMMIT } from '../../fixtures/records.js'
import { startPostgres } from '../../fixtures/postgres.js'
import { startTcpProxy } from '../../fixtures/tcp-proxy.js'

const STRICT = { insecureLocal: false }
const server = await startPostgres(t, { tls: true })
const admin = await connectPostgres(parseDsn(server.adminUrl, STRICT))
await migrate(admin)
await admin.execute(`ALTER ROLE bench_ingest PASSWORD '${server.password}'`)
await admin.close()

const RECORDS = Array.from({ length: 200 }, (_, index) => size(`dataset ${index}`))
const NEVER = new AbortController().signal
const ONCE: Partial<PostgresSinkOptions> = { retryDeadlineMs: 0 }

function addressThrough(proxy: { readonly port: number }): PostgresAddress {
  const dsn = server.url('postgres', 'bench_ingest').replace(`:${server.port}/`, `:${proxy.port}/`)
  return parseDsn(dsn, STRICT)
}

async function openThrough(
  t: Test,
  proxy: { readonly port: number },
  options: Partial<PostgresSinkOptions> = {},
): Promise<Sink> {
  const sink = await postgresSink(addressThrough(proxy), { random: () => 0.1, ...options }).open(NEVER)
  t.teardown(() => sink.close())
  return sink
}

/** The receipt and the number of attempts. */
async function write(sink: Sink, delivery: Delivery): Promise<Receipt & { readonly attempts: number }> {
  let attempts = 1
  const receipt = await sink.write(delivery, () => attempts++)
  return { ...receipt, attempts }
}

/** The content of the database after all writers have ended. */
async function stored(): Promise<{ readonly rows: number; readonly commits: number }> {
  const [row] = await server.sql(`BEGIN; LOCK commits, compression_sizes; COMMIT;
    SELECT (SELECT count(*) FROM compression_sizes)::int AS rows, (SELECT count(*) FROM commits)::int AS commits`)
  return row as { rows: number; commits: number }
}

t.beforeEach(() => server.sql('TRUNCATE commits, compression_sizes'))

t.test('a push without retries that is cut at any byte leaves all or nothing and gives a clear error', async t => {
  const whole = await startTcpProxy(t, { port: server.port })
  const sink = await openThrough(t, whole)
  const atStart = { ...whole.forwarded }
  await write(sink, await deliveryOf(RECORDS))
  await sink.close()
  for (const direction of ['up', 'down'] as const) {
    const bytes = whole.forwarded[direction] - atStart[direction]
    for (let part = 0; part < 20; part++) {
      // The last bytes are excluded, because they may include a late TLS session ticket.
      const after = Math.floor((bytes * 0.75 * part) / 20)
      await server.sql('TRUNCATE commits, compression_sizes')
      const proxy = await startTcpProxy(t, { port: server.port })
      const cut = await openThrough(t, proxy, ONCE)
      proxy.cutAfter(after, direction)
      const error: unknown = await write(cut, await deliveryOf(RECORDS)).catch((error: unknown) => error)
      t.match(error, { code: 'target_unreachable', hint: /./ }, `${direction} ${after}`)
      const { rows, commits } = await stored()
      t.ok(rows === commits * RECORDS.length, `${rows} rows and ${commits} commits`)
      await proxy.close()
    }
  }
})

t.test('a push with retries that is cut at any byte succeeds and reports the number of attempts', async t => {
  const delivery = await deliveryOf(RECORDS)
  for (const [direction, bytes] of [
    ['up', 8_000],
    ['down', 300],
  ] as const)
    for (let after = 0; after < bytes; after += bytes / 5) {
      await server.sql('TRUNCATE commits, compression_sizes')
      const proxy = await startTcpProxy(t, { port: server.port })
      const sink = await openThrough(t, proxy)
      proxy.cutAfter(after, direction)
      const { kinds, attempts } = await write(sink, delivery)
      t.equal(attempts, 2, `${direction} ${after}`)
      t.match(kinds, [{ records: RECORDS.length }])
      t.strictSame(await stored(), { rows: RECORDS.length, commits: 1 })
      await proxy.close()
    }
})

t.test('when only the answer to COMMIT was lost, the retry finds all records stored', async t => {
  const proxy = await startTcpProxy(t, { port: server.port })
  const sink = await openThrough(t, proxy)
  const delivery = await deliveryOf(RECORDS)
  // A commit waits for a standby that does not exist, so that only the answer is outstanding.
  const waitForStandby = async (name: string): Promise<void> => {
    await server.sql(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`)
    await server.sql('SELECT pg_reload_conf()')
  }
  t.teardown(() => waitForStandby(''))
  await waitForStandby('nobody')
  let ended = false
  const writing = write(sink, delivery).finally(() => (ended = true))
  let waiting = 0
  while (waiting === 0 && !ended) {
    const [row] = await server.sql(`SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
    waiting = Number(row?.waiting)
  }
  proxy.cutAfter(0, 'down')
  await waitForStandby('')
  const { kinds, attempts } = await writing
  t.equal(attempts, 2)
  t.match(kinds, [{ records: RECORDS.length, inserted: 0, updated: RECORDS.length, unchanged: RECORDS.length }])
  t.strictSame(await stored(), { rows: RECORDS.length, commits: 1 })
})

t.test('a server that crashes and recovers between COPY and COMMIT is waited for', async t => {
  const sink = await openThrough(t, server)
  let crashes = 0
  const delivery = {
    ...(await deliveryOf(RECORDS)),
    // Called after all rows are staged.
    assertMayCommit: async () => {
      if (crashes++ > 0) return
      const [row] = await server.sql(`SELECT pid FROM pg_stat_activity WHERE usename = 'bench_ingest'`)
      process.kill(Number(row?.pid), 'SIGKILL')
    },
  }
  const { kinds, attempts } = await write(sink, delivery)
  t.ok(attempts >= 2, `${attempts} tries`)
  t.match(kinds, [{ inserted: RECORDS.length }])
  t.strictSame(await stored(), { rows: RECORDS.length, commits: 1 })
})

t.test('a server that is still starting is waited for', async t => {
  const first = await startTcpProxy(t, { port: server.port })
  await first.close()
  const opening = postgresSink(addressThrough(first), { random: () => 0.1 }).open(NEVER)
  const { createServer, connect } = await import('node:net')
  const late = createServer(socket => {
    const upstream = connect(server.port, '127.0.0.1')
    socket.pipe(upstream).pipe(socket)
    for (const end of [socket, upstream]) end.on('error', () => end.destroy())
  })
  setTimeout(() => late.listen(first.port, '127.0.0.1'), 300)
  t.teardown(() => late.close())
  const sink = await opening
  t.match(await write(sink, await deliveryOf(RECORDS)), { attempts: 1 })
  await sink.close()
})

t.test('a server that stays unreachable is reported after the deadline, with the number of attempts', async t => {
  const gone = { port: 1 }
  const startedAt = Date.now()
  await t.rejects(postgresSink(addressThrough(gone), { random: Math.random, retryDeadlineMs: 700 }).open(NEVER), {
    code: 'target_unreachable',
    message: /connection refused \(tried \d+ times in 0\.7 s\)/,
    hint: /./,
  })
  t.ok(Date.now() - startedAt < 10_000)
})

t.test('an unknown host name, a wrong password and a wrong role are not retried', async t => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    [server.url('postgres', 'bench_ingest').replace(server.password, 'wrong'), /password authentication failed/],
    [server.adminUrl, /the role is postgres/],
    [server.adminUrl.replace(/\?.*/, ''), /unknown authority/],
  ]
  for (const [dsn, message] of wrong) {
    const startedAt = Date.now()
    await t.rejects(postgresSink(parseDsn(dsn, STRICT), { random: Math.random }).open(NEVER), { message })
    t.ok(Date.now() - startedAt < 10_000)
  }
})

t.test('a password that was changed while the connection was lost ends the retries', async t => {
  const proxy = await startTcpProxy(t, { port: server.port })
  const sink = await openThrough(t, proxy)
  await server.sql(`ALTER ROLE bench_ingest PASSWORD 'another'`)
  t.teardown(() => server.sql(`ALTER ROLE bench_ingest PASSWORD '${server.password}'`))
  proxy.cutAfter(3000)
  await t.rejects(write(sink, await deliveryOf(RECORDS)), { code: 'auth_failed', message: /password/ })
  t.strictSame(await stored(), { rows: 0, commits: 0 })
})

t.test('a statement that the server cancels is not retried and leaves nothing', async t => {
  await server.sql(`
    ALTER ROLE bench_ingest SET statement_timeout = '200ms';
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$;
    CREATE TRIGGER slow BEFORE INSERT ON compression_sizes FOR EACH ROW EXECUTE FUNCTION slow()`)
  t.teardown(() => server.sql('ALTER ROLE bench_ingest RESET statement_timeout; DROP FUNCTION slow CASCADE'))
  const sink = await openThrough(t, server)
  const startedAt = Date.now()
  await t.rejects(write(sink, await deliveryOf([size('a')])), { code: 'target_failed', hint: /statement_timeout/ })
  t.ok(Date.now() - startedAt < 4_500)
  t.strictSame(await stored(), { rows: 0, commits: 0 })
})

t.test(
  'a transaction that the server ends because we were idle is not tried again, and the setting is named',
  async t => {
    await server.sql(`ALTER ROLE bench_ingest SET idle_in_transaction_session_timeout = '100ms'`)
    t.teardown(() => server.sql('ALTER ROLE bench_ingest RESET idle_in_transaction_session_timeout'))
    const sink = await openThrough(t, server)
    const delivery = {
      // Enough rows for the bulk path, because a transaction of the pipelined path is never idle.
      ...(await deliveryOf(Array.from({ length: 6_000 }, (_, index) => size(`dataset ${index}`)))),
      assertMayCommit: () => new Promise<void>(resolve => setTimeout(resolve, 1_000)),
    }
    const expected = {
      code: 'target_failed',
      message: /idle-in-transaction/,
      hint: /idle_in_transaction_session_timeout/,
    }
    await t.rejects(write(sink, delivery), expected)
    t.strictSame(await stored(), { rows: 0, commits: 0 })
  },
)

t.test('an abort between two attempts ends the retries at once', async t => {
  const abort = new AbortController()
  const opening = postgresSink(addressThrough({ port: 1 }), { random: () => 1 }).open(abort.signal)
  setTimeout(() => abort.abort(), 100)
  const startedAt = Date.now()
  await t.rejects(opening, { code: 'interrupted' })
  t.ok(Date.now() - startedAt < 5_000)
})

t.test('a retried push stores the given commit', async t => {
  const proxy = await startTcpProxy(t, { port: server.port })
  const sink = await openThrough(t, proxy)
  proxy.cutAfter(500)
  await write(sink, await deliveryOf([]))
  t.match(await server.sql('SELECT commit_sha, message FROM commits'), [
    { commit_sha: COMMIT.sha, message: COMMIT.message },
  ])
})
