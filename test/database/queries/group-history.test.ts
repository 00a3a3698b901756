/** Tests that what is read from an index by series and commit time is what is read from the table. */

import t, { type Test } from 'tap'
import { CONTRACT, type Kind } from '../../../src/contract/kinds.js'
import { applyDelivery } from '../../../src/database/apply.js'
import { openEmbedded } from '../../../src/database/embedded/session.js'
import { migrate } from '../../../src/database/migrate.js'
import { connectPostgres } from '../../../src/database/postgres/connect.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import { readGroupHistory } from '../../../src/database/queries/group-history.js'
import { readGroups, type MeasurementGroup } from '../../../src/database/queries/groups.js'
import type { SqlSession } from '../../../src/database/session.js'
import { COMMIT, query } from '../../fixtures/records.js'
import { deliveryOf } from '../../fixtures/delivery.js'
import { startPostgres } from '../../fixtures/postgres.js'

const QUERY = CONTRACT.kinds[0] as Kind
const [FIRST, SECOND, THIRD, SAME] = ['1', '2', '3', '4'].map(digit => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
]
const GROUP: MeasurementGroup = { kind: QUERY, values: ['tpch', null, '10', 'nvme'] }
/** A table of any size is large. */
const BY_INDEX = { smallBytes: -1 }

t.test('Postgres', async t => {
  const server = await startPostgres(t)
  const url = (await server.createDatabase('charted')).replace('?sslmode=disable', '')
  const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
  await suite(t, session).finally(() => session.close())
})

t.test('the embedded database', async t => {
  const session = await openEmbedded(t.testdir(), { create: true })
  await suite(t, session).finally(() => session.close())
})

async function store(session: SqlSession, sha: string, day: number, series: readonly object[]): Promise<void> {
  const common = { dataset: 'tpch', dataset_variant: null, scale_factor: '10', storage: 'nvme', commit_sha: sha }
  const records = series.map((fields, index) => {
    const value_ns = 1_000 * day + index
    return query({ ...common, value_ns, all_runtimes_ns: [value_ns + 5, value_ns - 5, value_ns], ...fields })
  })
  await applyDelivery(session, await deliveryOf(records, { ...COMMIT, sha, timestamp: `2026-01-0${day}T00:00:00Z` }))
}

const SERIES: readonly object[] = [10, 2, -7].flatMap(query_idx =>
  ['duckdb', 'größe 🦀', ''].map(engine => ({ query_idx, engine })),
)
const OTHERS = [{ dataset_variant: '' }, { scale_factor: null }, { storage: 's3' }, { dataset: 'tpc' }]

/** The history as text, in which points have no order. */
async function history(session: SqlSession, shas: readonly string[], options: object): Promise<unknown> {
  const found = await readGroupHistory(session, GROUP, { shas, limit: 100, withRuns: true, ...options })
  return { ...found, series: found.series.map(({ key, points }) => [key, points.split(',').sort()]) }
}

async function suite(t: Test, session: SqlSession): Promise<void> {
  const same = async (t: Test, shas: readonly string[], options: object = {}): Promise<boolean> =>
    t.strictSame(await history(session, shas, { ...BY_INDEX, ...options }), await history(session, shas, options))
  const statements: string[] = []
  const watched: SqlSession = {
    ...{ execute: text => session.execute(text), pipeline: all => session.pipeline(all) },
    copyIn: (copy, data) => session.copyIn(copy, data),
    query: (text, values) => (statements.push(text), session.query(text, values)),
  }
  await migrate(session)
  await store(session, FIRST, 1, [...SERIES, ...OTHERS])
  await store(session, SECOND, 2, SERIES.slice(2))
  await store(session, THIRD, 3, SERIES.slice(0, -1))

  await t.test('each series has the values of the given commits, in the order of its dimensions', async t => {
    await same(t, [FIRST, SECOND, THIRD])
    await same(t, [SECOND, THIRD])
    await same(t, [FIRST, THIRD], { withRuns: false })
    await same(t, [])
    const { series } = await readGroupHistory(session, GROUP, {
      shas: [THIRD],
      limit: 100,
      withRuns: true,
      ...BY_INDEX,
    })
    t.equal(series.length, SERIES.length - 1)
    t.match(
      series.find(({ key }) => key.join().startsWith('2,duckdb')),
      { points: '0 3003 2998 3008' },
    )
    await same(t, [FIRST, SECOND], { limit: 4 })
  })

  await t.test('the machine is that of the newest value', async t => {
    for (const [index, sha] of [FIRST, SECOND, THIRD].entries())
      await session.execute(
        `UPDATE query_measurements SET env_triple = ${index === 2 ? 'NULL' : `'machine-${index}'`} WHERE commit_sha = '${sha}'`,
      )
    await same(t, [FIRST, SECOND, THIRD], { withPlatform: true })
    for (const access of [BY_INDEX, {}]) {
      const options = { shas: [FIRST, SECOND], limit: 100, withRuns: false, withPlatform: true, ...access }
      const { series } = await readGroupHistory(session, GROUP, options)
      const machines = series.map(({ points, platform }) => [points.split(',').length, platform])
      t.strictSame([...new Set(machines.map(String))].sort(), ['1,machine-0', '2,machine-1'])
    }
  })

  await t.test('the table itself is not read', async t => {
    statements.length = 0
    await history(watched, [FIRST, THIRD], BY_INDEX)
    t.notOk(statements.some(text => text.includes('ON commit_sha = sha')))
  })

  await t.test('commits with the same time are told apart', async t => {
    await store(
      session,
      SAME,
      2,
      SERIES.slice(0, 4).map((fields, index) => ({ ...fields, value_ns: 7_000 + index })),
    )
    await same(t, [FIRST, SECOND, THIRD, SAME])
    await same(t, [SAME, THIRD])
    await same(t, [SECOND])
  })

  await t.test('groups and the numbers of their series are listed', async t => {
    t.strictSame(
      await readGroups(session, QUERY, { limit: 100, ...BY_INDEX }),
      await readGroups(session, QUERY, { limit: 100 }),
    )
  })

  for (const [name, time] of [
    ['no time', 'NULL'],
    ['a time that no commit has', `timestamptz '2026-01-02 12:00Z'`],
  ])
    await t.test(`rows with ${name} are read from the table`, async t => {
      await session.execute(`UPDATE query_measurements SET commit_timestamp = ${time} WHERE commit_sha = '${SECOND}'`)
      await same(t, [FIRST, SECOND, THIRD])
      statements.length = 0
      await history(watched, [FIRST, SECOND], BY_INDEX)
      t.ok(statements.some(text => text.includes('ON commit_sha = sha')))
    })
}
