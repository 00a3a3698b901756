import t, { type Test } from 'tap'
import { connectPostgres } from '../../../src/database/postgres/connect.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import { migrate } from '../../../src/database/migrate.js'
import type { RolePolicy } from '../../../src/database/postgres/role.js'
import { postgresSink } from '../../../src/targets/postgres/sink.js'
import type { Sink } from '../../../src/targets/sink.js'
import { deliveryOf, size } from '../../fixtures/delivery.js'
import { startPostgres } from '../../fixtures/postgres.js'
import { startTcpProxy } from '../../fixtures/tcp-proxy.js'

const STRICT = { insecureLocal: false }
const server = await startPostgres(t, { tls: true, settings: { log_statement: 'all' } })
const admin = await connectPostgres(parseDsn(server.adminUrl, STRICT))
await migrate(admin)
await admin.execute(`
  ALTER ROLE bench_ingest PASSWORD '${server.password}';
  CREATE ROLE ci LOGIN PASSWORD '${server.password}' IN ROLE bench_ingest;
  CREATE ROLE nobody_yet LOGIN PASSWORD '${server.password}';
  CREATE ROLE acting LOGIN PASSWORD '${server.password}' IN ROLE bench_ingest;
  ALTER ROLE acting SET role = 'bench_ingest'`)
t.teardown(() => admin.close())

const ignore = (): void => undefined

type Opened = { readonly sink: Sink; readonly warnings: readonly string[] }

async function open(t: Test, url: string, rolePolicy?: RolePolicy): Promise<Opened> {
  const warnings: string[] = []
  const onWarning = (message: string): void => void warnings.push(message)
  const options = { random: Math.random, onWarning, ...(rolePolicy && { rolePolicy }) }
  const sink = await postgresSink(parseDsn(url, STRICT), options).open(new AbortController().signal)
  t.teardown(() => sink.close())
  return { sink, warnings }
}

t.test(
  'bench_ingest may write, by its own login or by a login that acts as bench_ingest, without a warning',
  async t => {
    for (const user of ['bench_ingest', 'acting']) {
      const { sink, warnings } = await open(t, server.url('postgres', user))
      t.match(await sink.write(await deliveryOf([size(user)]), ignore), { inserted: 1 })
      t.strictSame(warnings, [])
    }
  },
)

t.test('another role is rejected before anything is written, whatever its rights', async t => {
  for (const user of ['postgres', 'ci', 'nobody_yet'])
    await t.rejects(open(t, server.url('postgres', user)), {
      ...{ code: 'target_misconfigured', exitCode: 78, message: new RegExp(`the role is ${user}, not bench_ingest`) },
      hint: /--role-policy any/,
    })
})

t.test('with the policy any another role may write, and one warning is given', async t => {
  const { sink, warnings } = await open(t, server.adminUrl, 'any')
  await sink.write(await deliveryOf([size('by the superuser')]), ignore)
  t.equal(warnings.length, 1)
  t.match(warnings[0], /the role postgres writes, not bench_ingest/)
})

t.test('a role without grants is rejected by the server, with a hint', async t => {
  const { sink } = await open(t, server.url('postgres', 'nobody_yet'), 'any')
  await t.rejects(sink.write(await deliveryOf([size('never')]), ignore), {
    code: 'auth_failed',
    exitCode: 77,
    hint: /GRANT/,
  })
  t.strictSame(await server.sql(`SELECT FROM compression_sizes WHERE dataset = 'never'`), [])
})

t.test('checking the role of bench_ingest sends no byte to the server', async t => {
  const bytesOf = async (open: (dsn: string) => Promise<{ close(): Promise<void> }>): Promise<number> => {
    const proxy = await startTcpProxy(t, { port: server.port })
    const opened = await open(server.url('postgres', 'bench_ingest').replace(`:${server.port}/`, `:${proxy.port}/`))
    const sent = proxy.forwarded.up
    await opened.close()
    return sent
  }
  const bare = await bytesOf(dsn => connectPostgres(parseDsn(dsn, STRICT)))
  const checked = await bytesOf(async dsn => (await open(t, dsn)).sink)
  // Signatures in a TLS handshake differ by a byte or two.
  t.ok(Math.abs(bare - checked) < 10, `${bare} and ${checked} bytes`)
})
