/** Tests reading the rows of two commits by every access path, from a real Postgres and from the embedded database. */

import t, { type Test } from 'tap'
import { seriesDimensions } from '../../../src/analysis/series.js'
import { wasmHash64 } from '../../../src/contract/hash64.js'
import { CONTRACT, type Kind } from '../../../src/contract/kinds.js'
import { readCommitRows, type CommitRows, type Limits } from '../../../src/database/queries/commit-rows.js'
import { selectSeries } from '../../../src/database/queries/commit-access.js'
import { readSeriesHistory, type SeriesParts } from '../../../src/database/queries/series-history.js'
import { applyDelivery } from '../../../src/database/apply.js'
import { openEmbedded } from '../../../src/database/embedded/session.js'
import { migrate } from '../../../src/database/migrate.js'
import { connectPostgres } from '../../../src/database/postgres/connect.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import type { SqlSession } from '../../../src/database/session.js'
import { COMMIT, query } from '../../fixtures/records.js'
import { deliveryOf } from '../../fixtures/delivery.js'
import { startPostgres } from '../../fixtures/postgres.js'

const hash = await wasmHash64()
const QUERY = CONTRACT.kinds[0] as Kind
const BASE = 'a'.repeat(40)
const HEAD = 'b'.repeat(40)
const OTHER = 'abc'.padEnd(40, '0')
const BY_INDEX: Limits = { smallBytes: -1, mostSeries: 1_000 }

t.test('Postgres', async t => {
  const server = await startPostgres(t)
  const url = (await server.createDatabase('compared')).replace('?sslmode=disable', '')
  const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
  await suite(t, session).finally(() => session.close())
})

t.test('the embedded database', async t => {
  const session = await openEmbedded(t.testdir(), { create: true })
  await suite(t, session).finally(() => session.close())
})

/** Series whose dimensions are null, empty, unusual, or equal to the dimensions of another series. */
const SERIES: readonly object[] = [null, '', 'x', 'größe 🦀'].flatMap(dataset_variant =>
  [null, '', '10'].flatMap(scale_factor =>
    [-7, 3].flatMap(query_idx => ['duckdb', 'd'].map(engine => ({ dataset_variant, scale_factor, query_idx, engine }))),
  ),
)

async function store(session: SqlSession, sha: string, timestamp: string, series: readonly object[]): Promise<void> {
  const records = series.map((fields, index) => query({ ...fields, commit_sha: sha, value_ns: index }))
  await applyDelivery(session, await deliveryOf(records, { ...COMMIT, sha, timestamp }))
}

const read = (session: SqlSession, limits: Limits): Promise<CommitRows> =>
  readCommitRows(session, { base: BASE, head: HEAD }, { hash, limits })

const byOf = ({ access }: CommitRows): unknown => access.find(({ kind }) => kind === QUERY)?.by

/** All rows as text. */
function rowsOf({ kinds }: CommitRows): readonly string[] {
  return kinds
    .flatMap(({ rows: { base, head } }) => [...base.map(row => ({ base: row })), ...head.map(row => ({ head: row }))])
    .map(row => JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)))
    .sort()
}

async function suite(t: Test, session: SqlSession): Promise<void> {
  await migrate(session)
  await store(session, BASE, '2026-01-01T00:00:00Z', SERIES.slice(1))
  await store(session, HEAD, '2026-01-03T00:00:00Z', SERIES.slice(0, -2))
  await store(session, OTHER, '2026-01-02T00:00:00Z', SERIES.slice(20))
  await session.execute('ANALYZE')

  await t.test('leaping through the index finds each series once, as SELECT DISTINCT does', async t => {
    const columns = seriesDimensions(QUERY).map(({ name }) => name)
    const texts = columns.map(name => `${name}::text AS ${name}`).join(', ')
    const all = await session.query(`SELECT DISTINCT ${texts} FROM query_measurements`)
    const leapt = await session.query(selectSeries(QUERY.table, seriesDimensions(QUERY)))
    const sorted = (rows: readonly object[]): unknown =>
      rows.map(row => JSON.stringify(Object.entries(row).sort())).sort()
    t.equal(leapt.length, SERIES.length)
    t.strictSame(sorted(leapt), sorted(all))
  })

  await t.test('rows by the ids of all series are the rows that a scan finds', async t => {
    const scanned = await read(session, { smallBytes: 1e9, mostSeries: 1_000 })
    const leapt = await read(session, BY_INDEX)
    t.strictSame([byOf(scanned), byOf(leapt)], ['scan', 'series'])
    t.equal(rowsOf(scanned).length, SERIES.length * 2 - 3)
    t.strictSame(rowsOf(leapt), rowsOf(scanned))
  })

  await t.test('more series than it is worth leaping through are scanned', async t => {
    const scanned = await read(session, { ...BY_INDEX, mostSeries: SERIES.length - 1 })
    t.equal(byOf(scanned), 'scan')
    t.strictSame(rowsOf(scanned), rowsOf(await read(session, { ...BY_INDEX, mostSeries: SERIES.length })))
  })

  await t.test('an index on the commit is used, and without any index the table is read', async t => {
    const before = rowsOf(await read(session, BY_INDEX))
    await session.execute('CREATE INDEX by_commit ON query_measurements (commit_sha)')
    const indexed = await read(session, BY_INDEX)
    await session.execute('DROP INDEX by_commit, query_measurements_by_series')
    // Neither a partial index nor an index that lacks a needed column can be used.
    await session.execute('CREATE INDEX partial ON query_measurements (commit_sha) WHERE query_idx > 0')
    const bare = await read(session, BY_INDEX)
    t.strictSame([byOf(indexed), byOf(bare)], ['commit', 'scan'])
    t.strictSame([rowsOf(indexed), rowsOf(bare)], [before, before])
  })

  await t.test('afterwards the session is as it was', async t => {
    const [settings] = await session.query<{ sorts: string; writes: string }>(
      `SELECT current_setting('enable_sort') AS sorts, current_setting('transaction_read_only') AS writes`,
    )
    t.strictSame({ ...settings }, { sorts: 'on', writes: 'off' })
  })

  await t.test('a history by the ids of all series is the history that a scan finds', async t => {
    await session.execute(
      `CREATE INDEX ON query_measurements (dataset, dataset_variant, scale_factor, storage, query_idx, engine, format)`,
    )
    const shas = [HEAD, 'd'.repeat(40), BASE, OTHER]
    const statements: string[] = []
    const watched: SqlSession = {
      ...{ execute: text => session.execute(text), pipeline: all => session.pipeline(all) },
      copyIn: (copy, data) => session.copyIn(copy, data),
      query: (text, values) => (statements.push(text), session.query(text, values)),
    }
    const isById = (): boolean => statements.splice(0).some(text => text.includes('WHERE measurement_id = ANY'))
    const sorted = ({ parts }: SeriesParts): unknown => parts.map(part => JSON.stringify(part)).sort()
    const scanned = await readSeriesHistory(session, shas, { hash })
    const leapt = await readSeriesHistory(watched, shas, { hash, smallBytes: -1, bytesPerId: 0 })
    t.ok(isById())
    t.equal(scanned.parts.length, SERIES.length)
    t.strictSame(sorted(leapt), sorted(scanned))

    // A scan of this small table takes less time than finding that many rows by their ids.
    t.strictSame(sorted(await readSeriesHistory(watched, shas, { hash, smallBytes: -1 })), sorted(scanned))
    t.notOk(isById())
  })

  await t.test('a history stops where it reaches its limit of bytes', async t => {
    const { parts, more } = await readSeriesHistory(session, [HEAD], { hash, mostBytes: 300 })
    t.equal(more, true)
    t.ok(parts.length > 1 && parts.length < SERIES.length - 2, `${parts.length} parts`)
    t.equal((await readSeriesHistory(session, [HEAD], { hash, mostBytes: 1e6 })).more, false)
  })
}
