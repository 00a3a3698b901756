/** The conformance suite for what deliveries leave in the schema `vortex_ingest`, run on every database and on both write paths. */

import type { Test } from 'tap'
import type { DeliveryOrigin } from '../../src/contract/delivery-origin.js'
import { applyDelivery, type ApplyOptions } from '../../src/database/apply.js'
import { migrate } from '../../src/database/migrate.js'
import {
  findMeasurement,
  mayReadDeliveries,
  readDeliveredSeries,
  readDeliveries,
} from '../../src/database/queries/deliveries.js'
import { parseGroupSlug } from '../../src/server/read/groups.js'
import type { SqlSession } from '../../src/database/session.js'
import type { DeliveryOrder } from '../../src/source/delivery.js'
import { deliveryOf, size } from '../fixtures/delivery.js'
import { COMMIT, SHA } from '../fixtures/records.js'
import { onEveryDatabase } from './fixtures/every-database.js'

onEveryDatabase(conformance)

const ORIGIN: DeliveryOrigin = {
  ...{
    benchmarkId: 'bench.yml@7',
    runUrl: 'https://ci.example.com/runs/7',
    tool: 'vortex-ingest/1.2.3',
    target: 'the store',
  },
  sources: [{ name: 'results/night.jsonl', hash: 'xxh64:0123456789abcdef', firstLine: 1, lastLine: 3 }],
  sourceCount: 1,
}

const orderAt = (deliveryId: string, minute: number): DeliveryOrder => ({
  deliveryId,
  generation: { producedAt: new Date(Date.UTC(2026, 0, 31, 12, minute)).toISOString() },
})

async function conformance(t: Test, session: SqlSession, options: ApplyOptions): Promise<void> {
  await session.execute('DROP SCHEMA IF EXISTS public, vortex_ingest CASCADE; CREATE SCHEMA public')
  await migrate(session)
  const apply = async (records: readonly string[], order: DeliveryOrder, origin?: DeliveryOrigin) =>
    applyDelivery(session, { ...(await deliveryOf(records)), order, origin }, options)
  const idOf = async (dataset: string): Promise<string> => {
    const text = 'SELECT measurement_id::text AS id FROM public.compression_sizes WHERE dataset = $1'
    return (await session.query<{ id: string }>(text, [dataset]))[0]!.id
  }
  const test = (title: string, work: (t: Test) => Promise<void>): Promise<unknown> =>
    t.test(title, async t => {
      await session.execute(
        'TRUNCATE public.commits, public.compression_sizes, vortex_ingest.deliveries, vortex_ingest.delivered_ids',
      )
      await work(t)
    })

  await test('a delivery leaves one row with its origin, however often it is applied', async t => {
    const order = orderAt('one', 10)
    const { hasOrigin } = await apply([size('a'), size('b'), size('b')], order, ORIGIN)
    await apply([size('a'), size('b'), size('b')], order, ORIGIN)
    t.equal(hasOrigin, true)
    const found = await readDeliveries(session, { commit: SHA })
    t.equal(found.length, 1)
    t.match(found, [
      {
        ...{ id: 'one', stored: 2, contractVersion: 1, records: { compression_size: 3 }, origin: ORIGIN },
        ...{ producedAt: '2026-01-31T12:10:00.000000Z', appliedAt: /Z$/, ci: undefined },
      },
    ])
  })

  await test('a stored value leads to the delivery that wrote or confirmed it last', async t => {
    await apply([size('a', 1), size('b', 1), size('c', 1)], orderAt('first', 10), ORIGIN)
    await apply([size('a', 2), size('b', 1)], orderAt('newer', 30), ORIGIN)
    await apply([size('a', 3), size('c', 3)], orderAt('late', 20), ORIGIN)
    const lineage = async (dataset: string) => {
      const measurement = await findMeasurement(session, await idOf(dataset))
      t.match(measurement, { commit: SHA, kind: { kind: 'compression_size' } })
      const found = await readDeliveries(session, { commit: SHA, measurement })
      return found.map(({ id, stored }) => `${id} ${stored}`)
    }
    t.strictSame(await lineage('a'), ['newer 1', 'first 0'], 'the late delivery did not write it')
    t.strictSame(await lineage('b'), ['newer 1', 'first 0'], 'an equal value was confirmed')
    t.strictSame(await lineage('c'), ['late 1', 'first 0'])
    const all = await readDeliveries(session, { commit: SHA })
    t.strictSame(
      all.map(({ id, stored, records }) => [id, stored, records]),
      [
        ['late', 1, { compression_size: 2 }],
        ['newer', 2, { compression_size: 2 }],
        ['first', 0, { compression_size: 3 }],
      ],
      'the last applied first',
    )
    const group = parseGroupSlug('compression_size.a.~')
    const series = group && (await readDeliveredSeries(session, SHA, group))
    t.strictSame(series, [{ deliveryId: 'newer', key: ['parquet'] }])
  })

  await test('a delivery of which nothing is known leaves a row, too', async t => {
    await apply([size('a')], { deliveryId: 'bare', generation: undefined })
    t.match(await readDeliveries(session, { commit: SHA }), [
      {
        id: 'bare',
        stored: 1,
        origin: { sources: [], sourceCount: 0, runUrl: undefined },
        records: { compression_size: 1 },
      },
    ])
    t.strictSame(await readDeliveries(session, { commit: 'f'.repeat(40) }), [])
    t.equal(await findMeasurement(session, '12'), undefined)
  })

  await test('texts that Postgres cannot hold do not fail a delivery', async t => {
    const text = `a\u0000b\ud800${'é'.repeat(1_000)}`
    await apply([size('a')], orderAt('odd', 1), {
      ...ORIGIN,
      benchmarkId: text,
      tool: text,
      target: text,
      runUrl: text,
    })
    const [found] = await readDeliveries(session, { commit: SHA })
    t.match(found?.origin, { benchmarkId: /^a b é{196}$/, runUrl: undefined, sources: ORIGIN.sources })
  })

  await test('deliveries follow each other even if the clock of the database was set back', async t => {
    await apply([size('a', 1)], orderAt('first', 10))
    await session.execute(`UPDATE vortex_ingest.deliveries SET applied_at = now() + interval '1 day'`)
    await apply([size('a', 2)], orderAt('second', 20))
    t.match(await readDeliveries(session, { commit: SHA }), [
      { id: 'second', stored: 1 },
      { id: 'first', stored: 0 },
    ])
  })

  await test('a rehearsal leaves nothing', async t => {
    const delivery = { ...(await deliveryOf([size('a')], COMMIT)), order: undefined, origin: ORIGIN }
    await applyDelivery(session, delivery, { ...options, rehearse: true })
    t.strictSame(await readDeliveries(session, { commit: SHA }), [])
  })

  await test('a database without migration 009 is written to and read as before', async t => {
    const columns = [
      'benchmark_id',
      'run_url',
      'sources',
      'source_count',
      'records',
      'tool_version',
      'contract_version',
      'target',
    ]
    const dropped = columns.map(name => `DROP COLUMN ${name}`).join(', ')
    await session.execute(`ALTER TABLE vortex_ingest.deliveries ${dropped}`)
    t.match(await apply([size('a', 2)], orderAt('new', 20), ORIGIN), { isOrdered: true, hasOrigin: false })
    await apply([size('a', 1)], orderAt('late', 10), ORIGIN)
    t.match(await readDeliveries(session, { commit: SHA }), [
      { id: 'late', stored: 0, origin: undefined },
      { id: 'new', stored: 1, origin: undefined },
    ])
    await migrate(session, { withOptional: true })
    await apply([size('a', 3)], orderAt('migrated', 30), ORIGIN)
    t.match(await readDeliveries(session, { commit: SHA }), [
      { id: 'migrated', stored: 1, origin: ORIGIN },
      { id: 'late', origin: undefined },
      { id: 'new', origin: undefined },
    ])
  })

  await test('a database without the schema vortex_ingest says so', async t => {
    t.equal(await mayReadDeliveries(session), true)
    await session.execute('DROP SCHEMA vortex_ingest CASCADE')
    t.match(await apply([size('a')], orderAt('x', 1), ORIGIN), { isOrdered: false, hasOrigin: false })
    t.equal(await mayReadDeliveries(session), false)
    await migrate(session, { withOptional: true })
  })
}
