/** Tests the read routes on databases of every contract version, with Postgres and the embedded database. */

import t, { type Test } from 'tap'
import type { HistoryAnswer } from '../../src/server/read/answers.js'
import { applyInVersion } from '../../src/database/apply.js'
import { openEmbedded } from '../../src/database/embedded/session.js'
import { migrate } from '../../src/database/migrate.js'
import { connectPostgres } from '../../src/database/postgres/connect.js'
import { parseDsn } from '../../src/database/postgres/dsn.js'
import type { SqlSession } from '../../src/database/session.js'
import { COMMIT, BEFORE, line } from '../fixtures/records.js'
import { deliveryOf, olderTables } from '../fixtures/delivery.js'
import { startPostgres } from '../fixtures/postgres.js'
import { databaseCopies } from '../database/embedded/fixtures/folders.js'
import { get, startServer, type Running } from './fixtures/server.js'
import { storeOver } from './fixtures/store.js'

const SIZES = 'compression_size.taxi.full'
const ACCESSES = 'random_access_time.taxi'
const OLD = 'a'.repeat(40)
const NEW = 'b'.repeat(40)

const postgres = await startPostgres(t)
const copyDatabase = await databaseCopies()
let databases = 0

const SESSIONS: Readonly<Record<string, (t: Test) => Promise<SqlSession & { close(): Promise<void> }>>> = {
  Postgres: async () => {
    const url = (await postgres.createDatabase(`read_${++databases}`)).replace('?sslmode=disable', '')
    return connectPostgres(parseDsn(url, { insecureLocal: true }))
  },
  'the embedded database': t => openEmbedded(copyDatabase(t), { create: false }),
}

for (const [name, open] of Object.entries(SESSIONS))
  t.test(name, async t => {
    await t.test('a database of version 3 answers both fields', t => ofVersion3(t, open))
    for (const version of [1, 2])
      await t.test(`a database of version ${version} answers the fields that it has`, t => ofOlder(t, open, version))
    await t.test('a database that is migrated while the server runs answers the new fields', t => migrated(t, open))
  })

type Open = (typeof SESSIONS)[string]
type World = { readonly server: Running; readonly session: SqlSession }

/** Starts a server on a database of the given version, with an old commit of version 1 and a new one of version 3. */
async function start(t: Test, open: Open, version: number): Promise<World> {
  const session = await open(t)
  t.teardown(() => session.close())
  await migrate(session)
  for (const statement of olderTables(version)) await session.execute(statement)
  await store(session, OLD, [record('compression_size', OLD, BEFORE[1]), record('random_access_time', OLD, BEFORE[1])])
  await store(session, NEW, newRecords())
  return { session, server: await startServer(t, { store: storeOver(session) }) }
}

function record(kind: 'compression_size' | 'random_access_time', sha: string, changes = {}): string {
  return line(kind, { commit_sha: `"${sha}"`, ...changes })
}

function newRecords(): readonly string[] {
  const reopen = { open_mode: '"reopen"', value_ns: '9000' }
  return [
    record('compression_size', NEW, { uncompressed_bytes: '9223372036854775807' }),
    record('random_access_time', NEW),
    record('random_access_time', NEW, reopen),
  ]
}

async function store(session: SqlSession, sha: string, records: readonly string[]): Promise<void> {
  const timestamp = sha === OLD ? '2026-01-01T00:00:00Z' : '2026-01-02T00:00:00Z'
  const delivery = await deliveryOf(records, { ...COMMIT, sha, timestamp })
  await applyInVersion(session, { ...delivery, mayDowngrade: true }, { target: 'the store' })
}

async function seriesOf(server: Running, slug: string): Promise<HistoryAnswer['series']> {
  const { body } = await get(server, `/api/history/${slug}`)
  return (body as unknown as HistoryAnswer).series
}

async function groupsOf(server: Running): Promise<readonly unknown[]> {
  const { groups } = (await get(server, '/api/groups')).body as { groups: { slug: string; series: number }[] }
  return groups.map(({ slug, series }) => [slug, series])
}

async function rowsOf(server: Running, kind: string): Promise<readonly Record<string, unknown>[]> {
  const { body } = await get(server, `/api/measurements?commit=${NEW}&kind=${kind}`)
  return (body as { measurements: Record<string, unknown>[] }).measurements
}

const HOT = { key: ['vortex', 'cached'], values: [1200, 1200] }
const COLD = { key: ['vortex', 'reopen'], values: [null, 9000] }

async function ofVersion3(t: Test, open: Open): Promise<void> {
  const { server } = await start(t, open, 3)
  t.strictSame(await groupsOf(server), [
    [SIZES, 1],
    [ACCESSES, 2],
  ])
  t.strictSame(await seriesOf(server, ACCESSES), [HOT, COLD])
  const history = (await get(server, `/api/history/${SIZES}`)).text
  t.match(history, '"values":[4096,4096],"uncompressed_bytes":[null,9223372036854775807]')
  t.match((await get(server, `/api/history/${ACCESSES}`)).body, { dimensions: ['format', 'open_mode'] })
  t.strictSame((await rowsOf(server, 'random_access_time')).map(row => row['open_mode']).sort(), ['cached', 'reopen'])
  t.match((await get(server, `/api/group/${SIZES}`)).text, '"uncompressed_bytes":9223372036854775807')
}

async function ofOlder(t: Test, open: Open, version: number): Promise<void> {
  const { server } = await start(t, open, version)
  t.strictSame(await groupsOf(server), [
    [SIZES, 1],
    [ACCESSES, 1],
  ])
  t.strictSame(await seriesOf(server, ACCESSES), [HOT], 'rows of an older version are hot')
  const [size] = await seriesOf(server, SIZES)
  t.strictSame(size?.uncompressed_bytes, version === 1 ? [null, null] : [null, 2 ** 63])
  const [row = {}] = await rowsOf(server, 'compression_size')
  t.equal('uncompressed_bytes' in row, version === 2)
  const [access = {}] = await rowsOf(server, 'random_access_time')
  t.notOk('open_mode' in access)
  t.equal((await get(server, `/api/group/${ACCESSES}`)).status, 200)
}

async function migrated(t: Test, open: Open): Promise<void> {
  const { server, session } = await start(t, open, 1)
  t.strictSame(await seriesOf(server, ACCESSES), [HOT])
  await session.execute('ALTER TABLE compression_sizes ADD COLUMN uncompressed_bytes bigint')
  await session.execute(`ALTER TABLE random_access_times ADD COLUMN open_mode text NOT NULL DEFAULT 'cached'`)
  await store(session, NEW, newRecords())
  // Asks for another number of commits, because the first answer is cached for a while.
  const { body } = await get(server, `/api/history/${ACCESSES}?n=3`)
  t.strictSame((body as unknown as HistoryAnswer).series, [HOT, COLD])
}
