/** Tests `verify` with files and targets of different contract versions: Postgres, the embedded database, and servers on them. */

import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { serverRows } from '../../src/delivery/server-rows.js'
import { databaseRows, type StoredRows } from '../../src/delivery/stored-rows.js'
import { verify, type Difference, type VerifyResult } from '../../src/delivery/verify.js'
import { applyInVersion } from '../../src/database/apply.js'
import { openEmbedded } from '../../src/database/embedded/session.js'
import { migrate } from '../../src/database/migrate.js'
import { connectPostgres } from '../../src/database/postgres/connect.js'
import { parseDsn } from '../../src/database/postgres/dsn.js'
import type { SqlSession } from '../../src/database/session.js'
import { deliveryOf, olderTables } from '../fixtures/delivery.js'
import { startPostgres } from '../fixtures/postgres.js'
import { BEFORE, line } from '../fixtures/records.js'
import { startServer } from '../server/fixtures/server.js'
import { storeOver } from '../server/fixtures/store.js'
import { databaseCopies, emptyFolder } from '../database/embedded/fixtures/folders.js'

const postgres = await startPostgres(t)
const copyDatabase = await databaseCopies()
let databases = 0
const { signal } = new AbortController()
const NOTHING = { fields: [], records: [] }
const REOPEN = { format: '"parquet"', open_mode: '"reopen"' }
const FILES = {
  1: [line('compression_size', BEFORE[1]), line('random_access_time', BEFORE[1]), line('query_measurement')],
  2: [line('compression_size'), line('random_access_time', BEFORE[2])],
  3: [line('compression_size'), line('random_access_time'), line('random_access_time', REOPEN)],
}
const WITHOUT_SIZE = { kind: 'compression_size', field: 'uncompressed_bytes', records: 1 }

type Target = { readonly session: SqlSession; readonly rows: StoredRows }

const TARGETS: Readonly<Record<string, (t: Test, version: number) => Promise<Target>>> = {
  Postgres: async (t, version) => databaseTarget(await postgresSession(t), version),
  'the embedded database': async (t, version) => databaseTarget(await embeddedSession(t), version),
  'a server of that version': async (t, version) => {
    const { session } = await databaseTarget(await embeddedSession(t), version)
    return { session, rows: await rowsOf(t, await stating(t, version, await serverOver(t, session))) }
  },
}

for (const [name, makeTarget] of Object.entries(TARGETS))
  t.test(name, async t => {
    const target = async (t: Test, version: number, stored: readonly string[]): Promise<Target> => {
      const made = await makeTarget(t, version)
      const delivery = { ...(await deliveryOf(stored)), mayDowngrade: true }
      await applyInVersion(made.session, delivery, { target: name })
      return made
    }

    await t.test('a newer file is compared as far as an older target can hold it', async t => {
      const { rows } = await target(t, 1, FILES[3])
      t.match(await check(t, rows, FILES[3]), {
        ...{ compared: 2, different: 0, found: [], targetVersion: 1 },
        notCompared: {
          fields: [{ ...WITHOUT_SIZE, missingIn: 'target' }],
          records: [{ kind: 'random_access_time', field: 'open_mode', records: 1 }],
        },
      })
    })

    await t.test('a value that an older target stores differently is a difference', async t => {
      const { rows, session } = await target(t, 1, FILES[3])
      await session.execute('UPDATE compression_sizes SET value_bytes = 1; DELETE FROM random_access_times')
      const { found } = await check(t, rows, FILES[3])
      t.match(found, [
        { line: 1, code: 'different', message: '/value_bytes is "1" in the database and "4096" in the file' },
        { line: 2, code: 'missing' },
      ])
    })

    await t.test('a field that the file does not have is not compared', async t => {
      const { rows } = await target(t, 3, FILES[3].slice(0, 2))
      t.match(await check(t, rows, FILES[1].slice(0, 2)), {
        ...{ compared: 2, different: 0, found: [], targetVersion: 3 },
        notCompared: { fields: [{ ...WITHOUT_SIZE, missingIn: 'file' }], records: [] },
      })
    })

    await t.test('there is nothing to say of an older file that was stored as it is', async t => {
      for (const version of [1, 2, 3]) {
        const { rows } = await target(t, version, FILES[1])
        const expected = { compared: 3, different: 0, targetVersion: version }
        const { notCompared, ...verified } = await check(t, rows, FILES[1])
        t.match(verified, expected, `version ${version}`)
        t.strictSame(notCompared, NOTHING, `version ${version}`)
      }
    })

    await t.test('version 2 is compared with its field', async t => {
      const { rows, session } = await target(t, 2, FILES[2])
      t.match(await check(t, rows, FILES[2]), { compared: 2, different: 0, notCompared: NOTHING })
      await session.execute('UPDATE compression_sizes SET uncompressed_bytes = NULL')
      t.match((await check(t, rows, FILES[2])).found, [{ message: /^\/uncompressed_bytes is null in the database/ }])
    })

    await t.test('version 3 is compared with both fields', async t => {
      const { rows, session } = await target(t, 3, FILES[3])
      t.match(await check(t, rows, FILES[3]), { compared: 3, different: 0, notCompared: NOTHING })
      await session.execute(`UPDATE random_access_times SET open_mode = 'cached'`)
      t.match((await check(t, rows, FILES[3])).found, [
        { line: 3, message: '/open_mode is "cached" in the database and "reopen" in the file' },
      ])
    })
  })

t.test('a server of version 3 over an older database shows by its rows which fields it lacks', async t => {
  const { session } = await databaseTarget(await embeddedSession(t), 1)
  const delivery = { ...(await deliveryOf(FILES[3])), mayDowngrade: true }
  await applyInVersion(session, delivery, { target: 'the server' })
  const rows = await rowsOf(t, await serverOver(t, session))
  const { found, notCompared } = await check(t, rows, FILES[3])
  t.match(notCompared.fields, [{ ...WITHOUT_SIZE, missingIn: 'target' }])
  t.match(found, [{ line: 3, code: 'missing' }])
})

async function postgresSession(t: Test): Promise<SqlSession> {
  const url = (await postgres.createDatabase(`versions_${++databases}`)).replace('?sslmode=disable', '')
  const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
  t.teardown(() => session.close())
  return session
}

async function embeddedSession(t: Test): Promise<SqlSession> {
  const session = await openEmbedded(copyDatabase(t), { create: false })
  t.teardown(() => session.close())
  return session
}

async function databaseTarget(session: SqlSession, version: number): Promise<Target> {
  await migrate(session)
  for (const statement of olderTables(version)) await session.execute(statement)
  return { session, rows: databaseRows(session) }
}

async function serverOver(t: Test, session: SqlSession): Promise<URL> {
  return new URL((await startServer(t, { store: storeOver(session) })).url)
}

/** A proxy that forwards to the same server but states another contract version. */
async function stating(t: Test, schema_version: number, behind: URL): Promise<URL> {
  const front = createServer((request, response) => {
    const path = request.url ?? ''
    if (path.startsWith('/health')) response.end(JSON.stringify({ status: 'ok', schema_version }))
    else
      void fetch(new URL(path, behind)).then(async answer => {
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
      })
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  t.teardown(() => void front.close())
  return new URL(`http://127.0.0.1:${(front.address() as AddressInfo).port}`)
}

async function rowsOf(t: Test, base: URL): Promise<StoredRows> {
  const address = { base, token: undefined, proxy: undefined, authorities: [] }
  const rows = await serverRows({ address, idleTimeoutMs: 10_000, signal })
  t.teardown(() => rows.close())
  return rows
}

async function check(
  t: Test,
  stored: StoredRows,
  file: readonly string[],
): Promise<VerifyResult & { readonly found: readonly Difference[] }> {
  const path = join(emptyFolder(t), 'file.jsonl')
  await writeFile(path, file.join('\n'))
  const found: Difference[] = []
  const target = { openRows: async () => ({ rows: stored, description: 'the target', close: async () => undefined }) }
  const verified = await verify([path], { target, onDifference: difference => found.push(difference) })
  return { ...verified, found }
}
