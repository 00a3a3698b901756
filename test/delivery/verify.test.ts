import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { verify, type Difference, type VerifyResult } from '../../src/delivery/verify.js'
import type { Store } from '../../src/server/store/store.js'
import { applyDelivery } from '../../src/database/apply.js'
import { openEmbedded } from '../../src/database/embedded/session.js'
import { migrate } from '../../src/database/migrate.js'
import { connectPostgres } from '../../src/database/postgres/connect.js'
import { parseDsn } from '../../src/database/postgres/dsn.js'
import { serverRows } from '../../src/delivery/server-rows.js'
import { databaseRows, type StoredRows } from '../../src/delivery/stored-rows.js'
import type { SqlSession } from '../../src/database/session.js'
import { deliveryOf, size } from '../fixtures/delivery.js'
import { query, SHA } from '../fixtures/records.js'
import { startPostgres } from '../fixtures/postgres.js'
import { startServer } from '../server/fixtures/server.js'

t.test('Postgres', async t => {
  const server = await startPostgres(t)
  const url = (await server.createDatabase('verify')).replace('?sslmode=disable', '')
  const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
  await suite(t, session).finally(() => session.close())
})

t.test('a server', async t => {
  const session = await openEmbedded(t.testdir(), { create: true })
  const store: Store = {
    ...{ kind: 'embedded', description: 'the store', isOrdered: true, sessions: 1 },
    write: delivery => applyDelivery(session, delivery),
    change: work => work(session),
    read: work => work(session),
    close: () => session.close(),
  }
  const { url } = await startServer(t, { store })
  const address = { base: new URL(url), token: undefined, proxy: undefined, authorities: [] }
  const rows = await serverRows({ address, idleTimeoutMs: 10_000, signal: new AbortController().signal })
  try {
    await suite(t, session, rows)
  } finally {
    rows.close()
    await session.close()
  }
})

t.test('a server without read routes', async t => {
  const server = createServer((_, response) => response.end('<html>'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  const base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const address = { base, token: undefined, proxy: undefined, authorities: [] }
  const rows = await serverRows({ address, idleTimeoutMs: 10_000, signal: new AbortController().signal })
  t.teardown(() => rows.close())
  await t.rejects(rows.hasCommit(SHA), { code: 'target_misconfigured', message: /not with stored rows/ })
})

t.test('the embedded database', async t => {
  const session = await openEmbedded(t.testdir(), { create: true })
  await suite(t, session).finally(() => session.close())
})

async function suite(t: Test, session: SqlSession, stored: StoredRows = databaseRows(session)): Promise<void> {
  await migrate(session)
  const vector = `{"kind":"vector_search_run","commit_sha":"${SHA}","dataset":"v","layout":"l","flavor":"f","threshold":-0.0,"value_ns":9223372036854775807,"all_runtimes_ns":[ 1 , -9223372036854775808 ],"matches":1,"rows_scanned":1,"bytes_scanned":1,"iterations":1}`
  const lines = [size('a'), size('tab\tand\\slash 🦀'), query({ scale_factor: '' }), vector]
  const test = (name: string, body: (t: Test) => Promise<void>): Promise<unknown> =>
    t.test(name, async t => {
      await session.execute('TRUNCATE commits, query_measurements, compression_sizes, vector_search_runs')
      await applyDelivery(session, await deliveryOf(lines))
      await body(t)
    })
  const check = async (
    t: Test,
    file: readonly string[],
    extra = false,
  ): Promise<VerifyResult & { found: Difference[] }> => {
    const path = join(t.testdir(), 'file.jsonl')
    await writeFile(path, file.join('\n'))
    const found: Difference[] = []
    const target = {
      openRows: async () => ({ rows: stored, description: 'the database', close: async () => undefined }),
    }
    const onDifference = (difference: Difference): void => void found.push(difference)
    return { ...(await verify([path], { target, extra, onDifference })), found }
  }

  await test('delivered records are found as they were written', async t => {
    t.match(await check(t, lines, true), { compared: 4, different: 0, found: [] })
  })

  await test('a changed column is named with both values', async t => {
    await session.execute(`UPDATE query_measurements SET all_runtimes_ns = '{1,2,4}'`)
    const { found } = await check(t, lines)
    t.match(found, [
      {
        line: 3,
        code: 'different',
        message: '/all_runtimes_ns is "{1,2,4}" in the database and "100,120,140" in the file',
      },
    ])
  })

  await test('null and the empty string differ, and so do 0 and -0', async t => {
    await session.execute(
      `UPDATE query_measurements SET scale_factor = NULL; UPDATE vector_search_runs SET threshold = 0`,
    )
    const { found } = await check(t, lines)
    t.match(found.map(({ message }) => message).sort(), [/^\/scale_factor is null/, /^\/threshold is "0"/])
  })

  await test('a missing row and a missing commit are reported', async t => {
    await session.execute(`DELETE FROM compression_sizes WHERE dataset = 'a'`)
    t.match((await check(t, lines)).found, [{ line: 1, code: 'missing', message: 'is not stored' }])
    await session.execute(`DELETE FROM commits`)
    const { found, different } = await check(t, lines)
    const message = /^[0-9a-f]{40} is not stored; 1 of its measurements is not stored either$/
    t.match(found, [{ line: 0, kind: 'commit', code: 'missing', message }])
    t.equal(different, 1, 'the commit is reported once, instead of each of its measurements')
  })

  await test('of a repeated measurement only the last line must be stored', async t => {
    await applyDelivery(session, await deliveryOf([size('a', 7)]))
    t.match(await check(t, [size('a', 1), size('a', 7)]), { compared: 1, different: 0 })
    t.match(await check(t, [size('a', 7), size('a', 1)]), { compared: 1, different: 1 })
  })

  await test('rows without a line are reported only on request', async t => {
    t.match(await check(t, lines.slice(1)), { different: 0 })
    const { found } = await check(t, lines.slice(1), true)
    t.match(found, [{ kind: 'compression_size', code: 'extra' }])
  })

  await test('a file with a bad line is not compared', async t => {
    const { compared, rejected } = await check(t, [...lines, 'not json'])
    t.match([compared, rejected], [0, 1])
  })
}
