/** Tests reading all stored records in pages, from a real Postgres and from the embedded database. */

import t, { type Test } from 'tap'
import { CONTRACT, type Kind } from '../../../src/contract/kinds.js'
import { applyDelivery } from '../../../src/database/apply.js'
import { openEmbedded } from '../../../src/database/embedded/session.js'
import { migrate } from '../../../src/database/migrate.js'
import { connectPostgres } from '../../../src/database/postgres/connect.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import {
  countStoredRecords,
  readCommitPages,
  readRecordPages,
  type StoredRecordFilter,
} from '../../../src/database/queries/stored-records.js'
import { inSnapshot, type SqlSession } from '../../../src/database/session.js'
import { deliveryOf } from '../../fixtures/delivery.js'
import { COMMIT, query } from '../../fixtures/records.js'
import { startPostgres } from '../../fixtures/postgres.js'

const QUERY = CONTRACT.kinds[0] as Kind
const SHAS = ['0', 'a', 'b', 'f'].map(digit => digit.repeat(40))

t.test('Postgres', async t => {
  const server = await startPostgres(t)
  const url = (await server.createDatabase('read')).replace('?sslmode=disable', '')
  const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
  await suite(t, session).finally(() => session.close())
})

t.test('the embedded database', async t => {
  const session = await openEmbedded(t.testdir(), { create: true })
  await suite(t, session).finally(() => session.close())
})

async function store(session: SqlSession): Promise<void> {
  await migrate(session)
  for (const [index, sha] of SHAS.toReversed().entries()) {
    const records = Array.from({ length: 700 }, (_, query_idx) => query({ commit_sha: sha, query_idx }))
    await applyDelivery(session, await deliveryOf(records, commitAt(sha, index + 1)))
  }
}

const commitAt = (sha: string, day: number) => ({ ...COMMIT, sha, timestamp: `2026-01-0${day}T00:00:00Z` })

async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const page of pages) all.push(page)
  return all
}

/** Commit ids of all records, and the lengths of the pages. */
async function read(session: SqlSession, filter: StoredRecordFilter = {}, afterCommit?: string) {
  const pages = await inSnapshot(session, () => collect(readRecordPages(session, QUERY, { filter, afterCommit })))
  const rows = pages.flat()
  const commits = [...new Set(rows.map(row => row['commit_sha']))]
  const ids = rows.map(({ measurement_id }) => measurement_id)
  return { commits, ids, rows, sizes: pages.map(page => page.length) }
}

async function suite(t: Test, session: SqlSession): Promise<void> {
  await store(session)
  await t.test('every record is read once, in the order of commits and ids', async t => {
    const { commits, ids, rows, sizes } = await read(session)
    t.strictSame([commits, new Set(ids).size, sizes], [SHAS, 2_800, [2_000, 800]])
    const first = rows.slice(0, 700).map(({ measurement_id }) => BigInt(measurement_id))
    t.strictSame(
      first,
      [...first].sort((a, b) => (a < b ? -1 : 1)),
    )
    t.equal(await inSnapshot(session, () => countStoredRecords(session, QUERY)), 2_800)
  })

  await t.test('reading continues after a commit', async t => {
    t.strictSame((await read(session, {}, SHAS[1])).commits, SHAS.slice(2))
    t.strictSame((await read(session, {}, SHAS[3])).rows, [])
  })

  await t.test('records are chosen by commit, group and time, and commits with them', async t => {
    const { rows } = await read(session, { commit: SHAS[2] })
    t.equal(rows.length, 700)
    const { dataset, dataset_variant, scale_factor, storage } = rows[0]!
    const values = [dataset, dataset_variant, scale_factor, storage].map(value => value ?? null)
    t.equal((await read(session, { group: { kind: QUERY, values }, commit: SHAS[2] })).rows.length, 700)
    t.equal((await read(session, { group: { kind: QUERY, values: ['none', null, null, 'nvme'] } })).rows.length, 0)
    t.equal((await read(session, { group: { kind: CONTRACT.kinds[1]!, values } })).rows.length, 0)
    const filter = { since: '2026-01-02T00:00:00Z', until: '2026-01-04T00:00:00Z' }
    t.strictSame((await read(session, filter)).commits, [SHAS[1], SHAS[2]])
    const commits = await inSnapshot(session, () => collect(readCommitPages(session, { filter })))
    t.strictSame(
      commits.flat().map(({ sha, timestamp, message }) => [sha, timestamp, message]),
      [
        [SHAS[1], '2026-01-03T00:00:00.000000Z', COMMIT.message],
        [SHAS[2], '2026-01-02T00:00:00.000000Z', COMMIT.message],
      ],
    )
  })

  await t.test('a page holds at most 4 MiB', async t => {
    const large = 'x'.repeat(3 * 1024 * 1024)
    const records = [0, 1, 2].map(query_idx =>
      query({ commit_sha: SHAS[0]!, query_idx, engine: 'large', env_triple: large }),
    )
    await applyDelivery(session, await deliveryOf(records, commitAt(SHAS[0]!, 4)))
    const { sizes, rows } = await read(session, { commit: SHAS[0] })
    t.strictSame([rows.length, sizes.length], [703, 3])
  })
}
