import t, { type Test } from 'tap'
import { connectPostgres, type PostgresSession } from '../../../src/database/postgres/connect.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import { migrate } from '../../../src/database/migrate.js'
import { postgresSink } from '../../../src/targets/postgres/sink.js'
import { deliveryOf, size } from '../../fixtures/delivery.js'
import { startPostgres } from '../../fixtures/postgres.js'
import { startTcpProxy } from '../../fixtures/tcp-proxy.js'
import { waitUntil } from '../../fixtures/wait-until.js'

const writable = await startPostgres(t)
const readOnly = await startPostgres(t, { settings: { default_transaction_read_only: 'on' } })
const DEAD = '127.0.0.1:1'

async function connect(t: Test, hosts: readonly string[], more = ''): Promise<PostgresSession> {
  const dsn = `postgres://postgres:${writable.password}@${hosts.join(',')}/postgres?sslmode=disable${more}`
  const session = await connectPostgres(parseDsn(dsn, { insecureLocal: true }))
  t.teardown(() => session.close())
  return session
}

async function portOf(session: PostgresSession): Promise<unknown> {
  const [row] = await session.query<{ port: string }>(`SELECT current_setting('port') AS port`)
  return Number(row?.port)
}

const at = (port: number): string => `127.0.0.1:${port}`

t.test('the first reachable host is used, and messages name it', async t => {
  const session = await connect(t, [DEAD, at(writable.port), DEAD])
  t.equal(await portOf(session), writable.port)
  t.equal(session.description, `postgres://postgres@127.0.0.1:${writable.port}/postgres`)
})

t.test('a silent host takes no longer than its connect timeout', async t => {
  const silent = await startTcpProxy(t, { port: writable.port })
  silent.blackHole()
  const startedAt = Date.now()
  const session = await connect(t, [at(silent.port), at(writable.port)], '&connect_timeout=1')
  t.equal(await portOf(session), writable.port)
  t.ok(Date.now() - startedAt < 9_000)
})

t.test('a read-only host is skipped, unless any host is allowed', async t => {
  t.equal(await portOf(await connect(t, [at(readOnly.port), at(writable.port)])), writable.port)
  const any = await connect(t, [at(readOnly.port), at(writable.port)], '&target_session_attrs=any')
  t.equal(await portOf(any), readOnly.port)
  t.equal(await portOf(await connect(t, [at(readOnly.port)])), readOnly.port, 'a lone host is not asked')
})

t.test('when no host is usable, all of them are reported', async t => {
  await t.rejects(connect(t, [DEAD, at(readOnly.port)]), {
    code: 'target_unreachable',
    message: /none of the 2 hosts can be used: 127\.0\.0\.1:1: connection refused; 127\.0\.0\.1:\d+: is read-only/,
    hint: /./,
  })
  await t.rejects(connect(t, [at(readOnly.port), at(readOnly.port)]), { code: 'target_misconfigured', hint: /primary/ })
})

t.test('a wrong password ends the search', async t => {
  const wrong = `postgres://postgres:wrong@${at(writable.port)},${DEAD}/postgres?sslmode=disable`
  await t.rejects(connectPostgres(parseDsn(wrong, { insecureLocal: true })), {
    code: 'auth_failed',
    message: /password authentication failed/,
  })
})

t.test('a host that becomes read-only while it is connected is left for the new primary', async t => {
  const first = await startPostgres(t)
  for (const server of [first, writable]) {
    const session = await connectPostgres(parseDsn(server.adminUrl, { insecureLocal: true }))
    await migrate(session).finally(() => session.close())
  }
  const dsn = `postgres://postgres:${first.password}@${at(first.port)},${at(writable.port)}/postgres?sslmode=disable`
  const address = parseDsn(dsn, { insecureLocal: true })
  const sink = await postgresSink(address, { random: () => 0, rolePolicy: 'any' }).open(new AbortController().signal)
  t.teardown(() => sink.close())
  const delivery = await deliveryOf([size('a')])
  await sink.write(delivery, () => undefined)
  const isStored = async (): Promise<boolean> => (await writable.sql('SELECT FROM commits')).length > 0
  t.notOk(await isStored())
  await first.sql('ALTER SYSTEM SET default_transaction_read_only = on')
  await first.sql('SELECT pg_reload_conf()')
  await waitUntil(async () => {
    await sink.write(delivery, () => undefined)
    return isStored()
  })
})
