/** The conformance suite for the order of deliveries, run on every database and on both write paths. */

import type { Test } from 'tap'
import type { CiAttempt } from '../../src/contract/generation.js'
import { applyDelivery, type ApplyOptions } from '../../src/database/apply.js'
import { migrate } from '../../src/database/migrate.js'
import { FencedError } from '../../src/database/ordering.js'
import type { SqlSession } from '../../src/database/session.js'
import type { DeliveryOrder, Fence, KindReceipt } from '../../src/source/delivery.js'
import { deliveryOf, size } from '../fixtures/delivery.js'
import { Random, SEED } from '../fixtures/random.js'
import { COMMIT, query, SHA } from '../fixtures/records.js'
import { onEveryDatabase } from './fixtures/every-database.js'

onEveryDatabase(conformance)

let deliveries = 0

function orderAt(minute: number, more: Partial<DeliveryOrder> = {}): DeliveryOrder {
  const producedAt = new Date(Date.UTC(2026, 0, 31, 12, minute)).toISOString()
  return { deliveryId: `delivery-${++deliveries}`, generation: { producedAt }, ...more }
}

function attempt(run: number, attempt: number, minute = 0): DeliveryOrder {
  const ci: CiAttempt = { producer: 'GitHub Actions https://github.com/o/r', run, attempt }
  const { generation } = orderAt(minute)
  return orderAt(minute, { generation: { ...generation!, ci } })
}

async function conformance(t: Test, session: SqlSession, options: ApplyOptions): Promise<void> {
  await session.execute('DROP SCHEMA IF EXISTS public, vortex_ingest CASCADE; CREATE SCHEMA public')
  await migrate(session)
  const apply = async (
    records: readonly (object | string)[],
    order: DeliveryOrder | undefined,
    commit = COMMIT,
  ): Promise<readonly KindReceipt[]> => {
    const { kinds } = await applyDelivery(session, { ...(await deliveryOf(records, commit)), order }, options)
    return kinds
  }
  const sizes = async (): Promise<readonly string[]> =>
    (
      await session.query<{ row: string }>(
        `SELECT dataset || '=' || value_bytes AS row FROM public.compression_sizes ORDER BY 1`,
      )
    ).map(({ row }) => row)
  const test = (title: string, work: (t: Test) => Promise<void>): Promise<unknown> =>
    t.test(title, async t => {
      await session.execute(
        `TRUNCATE public.commits, public.compression_sizes, public.query_measurements,
         vortex_ingest.deliveries, vortex_ingest.delivered_ids, vortex_ingest.watermarks`,
      )
      await work(t)
    })

  await test('an older delivery replaces no value of a newer one, and adds the rows that only it has', async t => {
    await apply([size('a', 2), size('b', 2)], orderAt(20))
    const late = await apply([size('a', 1), size('c', 1)], orderAt(10))
    t.strictSame(await sizes(), ['a=2', 'b=2', 'c=1'])
    t.match(late, [{ records: 2, inserted: 1, updated: 1, unchanged: 1, superseded: 1 }])
  })

  await test('an older delivery replaces the values that only an even older one wrote', async t => {
    await apply([size('a', 1), size('b', 1)], orderAt(10))
    await apply([size('a', 3)], orderAt(30))
    const middle = await apply([size('a', 2), size('b', 2)], orderAt(20))
    t.strictSame(await sizes(), ['a=3', 'b=2'])
    t.match(middle, [{ inserted: 0, updated: 2, unchanged: 1, superseded: 1 }])
  })

  await test('a delivery that confirms a value protects it from all deliveries before itself', async t => {
    await apply([size('a', 1)], orderAt(10))
    await apply([size('a', 1)], orderAt(30))
    await apply([size('a', 2)], orderAt(20))
    t.strictSame(await sizes(), ['a=1'])
  })

  await test('a repeated delivery changes nothing, even if a delivery of the same time came between', async t => {
    const first = orderAt(10)
    await apply([size('a', 1), size('b', 1)], first)
    await apply([size('a', 2)], orderAt(10))
    const repeated = await apply([size('a', 1), size('b', 1)], first)
    t.strictSame(await sizes(), ['a=2', 'b=1'])
    t.match(repeated, [{ inserted: 0, updated: 2, unchanged: 2, superseded: 1 }])
  })

  await test('a repeated delivery adds rows that were deleted meanwhile', async t => {
    const order = orderAt(10)
    await apply([size('a', 1), size('b', 1)], order)
    await session.query(`DELETE FROM public.compression_sizes WHERE dataset = 'a'`)
    await apply([size('a', 1), size('b', 1)], order)
    t.strictSame(await sizes(), ['a=1', 'b=1'])
  })

  await test('attempts of a CI run are ordered by their numbers, whatever their clocks say', async t => {
    await apply([size('a', 2)], attempt(100, 2, 10))
    await apply([size('a', 1)], attempt(100, 1, 14))
    t.strictSame(await sizes(), ['a=2'], 'the first attempt is older than the second')
    await apply([size('a', 3)], attempt(101, 1, 8))
    t.strictSame(await sizes(), ['a=3'], 'a later run is newer than an earlier one')
    await apply([size('a', 4)], orderAt(30))
    t.strictSame(await sizes(), ['a=4'], 'a run outside of CI is ordered by time')
  })

  await test('a delivery without a generation counts as the newest', async t => {
    await apply([size('a', 1)], orderAt(10))
    await apply([size('a', 5)], orderAt(0, { generation: undefined }))
    t.strictSame(await sizes(), ['a=5'])
    await apply([size('a', 2)], orderAt(20))
    t.strictSame(await sizes(), ['a=5'], 'what it wrote stays')
  })

  await test('a forced delivery replaces newer values, and none of deliveries that were produced after it', async t => {
    const force = orderAt(10)
    const forced = { ...force, generation: { ...force.generation!, isForced: true } }
    await apply([size('a', 2), size('b', 2)], orderAt(20))
    await apply([size('a', 1)], forced)
    t.strictSame(await sizes(), ['a=1', 'b=2'])
    await apply([size('a', 3)], orderAt(30))
    await apply([size('a', 1)], forced)
    t.strictSame(await sizes(), ['a=3', 'b=2'], 'a repeated delivery is not forced again')
  })

  await test('an older delivery does not overwrite the commit, and its rows get the time of the stored one', async t => {
    const earlier = { ...COMMIT, timestamp: '2026-01-01T00:00:00Z', message: 'earlier' }
    await apply([query({ query_idx: 1 })], orderAt(20))
    await apply([query({ query_idx: 1 }), query({ query_idx: 2 })], orderAt(10), earlier)
    const found = await session.query(
      `SELECT message, count(*) FILTER (WHERE commit_timestamp = timestamp)::int AS rows
       FROM public.commits JOIN public.query_measurements USING (commit_sha) GROUP BY message`,
    )
    t.strictSame(found, [{ message: COMMIT.message, rows: 2 }])
  })

  await test('a lease with a lower fencing token is refused, and nothing of its delivery is stored', async t => {
    const fence = (token: number, until: number): Fence => ({
      watermarkId: 'w',
      targetId: 't',
      partition: SHA,
      token,
      until,
    })
    await apply([size('a', 1)], orderAt(10, { fence: fence(7, 1) }))
    const refused: unknown = await apply([size('b', 1)], orderAt(20, { fence: fence(6, 2) })).catch(
      (error: unknown) => error,
    )
    t.ok(refused instanceof FencedError && refused.token === 7)
    t.strictSame(await sizes(), ['a=1'])
    await apply([size('b', 1)], orderAt(20, { fence: fence(8, 2) }))
    t.strictSame(
      await session.query(
        'SELECT watermark_id, delivered_until::int, fencing_token::int FROM vortex_ingest.watermarks',
      ),
      [{ watermark_id: 'w', delivered_until: 2, fencing_token: 8 }],
    )
  })

  await test('deliveries in any order, repeated at random, leave the value of the newest generation', async t => {
    const random = new Random(SEED)
    const below = (end: number): number => Math.floor(random.next() * end)
    for (let episode = 0; episode < 15; episode++) {
      await session.execute(
        'TRUNCATE public.commits, public.compression_sizes, vortex_ingest.deliveries, vortex_ingest.delivered_ids',
      )
      const names = ['a', 'b', 'c', 'd']
      const made = Array.from({ length: 6 }, (_, at) => ({
        order: below(2) === 0 ? orderAt(at) : attempt(5, at, below(60)),
        values: new Map(names.filter(() => below(2) === 0).map(name => [name, at + 1])),
      }))
      // Attempts of one run are ordered by number and the others by time, so each sort of them has an order of its own.
      const inCi = below(2) === 0
      const chosen = made.filter(({ order }) => (order.generation?.ci !== undefined) === inCi)
      const sent = [...chosen, ...chosen].sort(() => below(3) - 1)
      for (const { order, values } of sent)
        await apply(
          [...values].map(([name, value]) => size(name, value)),
          order,
        )
      const expected = new Map(chosen.flatMap(({ values }) => [...values]))
      t.strictSame(
        await sizes(),
        [...expected].map(([name, value]) => `${name}=${value}`).sort(),
        `seed ${SEED}, ${episode}`,
      )
    }
  })

  await test('a database that drops rows or changes is found out before anything is committed', async t => {
    await apply([size('a', 1), size('b', 1)], orderAt(1))
    for (const [when, does] of [
      ['INSERT', 'RETURN NULL'],
      ['UPDATE', 'RETURN NULL'],
    ] as const) {
      await session.execute(`
        CREATE FUNCTION public.drops() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${does}; END $$;
        CREATE TRIGGER drops BEFORE ${when} ON public.compression_sizes FOR EACH ROW
        WHEN (NEW.dataset > 'a') EXECUTE FUNCTION public.drops()`)
      const failure = { code: 'target_refused', message: /compression_sizes.* only 2 of the 3 rows/ }
      const records =
        when === 'INSERT' ? [size('a', 1), size('b', 1), size('c', 1)] : [size('a', 1), size('b', 2), size('c', 2)]
      for (const order of [orderAt(2), undefined]) await t.rejects(apply(records, order), failure, when)
      t.strictSame(await sizes(), ['a=1', 'b=1'])
      await session.execute('DROP FUNCTION public.drops() CASCADE')
    }
  })

  await test('a trigger that changes or deletes what was written is found out before anything is committed', async t => {
    const triggers = [
      ['BEFORE INSERT ON public.compression_sizes', 'NEW.value_bytes := 777; RETURN NEW'],
      ['BEFORE INSERT ON public.compression_sizes', `NEW.format := 'other'; RETURN NEW`],
      ['AFTER INSERT ON public.compression_sizes', 'DELETE FROM public.compression_sizes; RETURN NULL'],
      ['BEFORE INSERT ON public.commits', 'RETURN NULL'],
    ] as const
    const deferred = 'CONSTRAINT TRIGGER harms AFTER INSERT ON public.compression_sizes DEFERRABLE INITIALLY DEFERRED'
    for (const [at, what] of [...triggers, [deferred, triggers[2][1]]] as const) {
      await session.execute(`
        CREATE FUNCTION public.harms() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${what}; END $$;
        CREATE ${at === deferred ? at : `TRIGGER harms ${at}`} FOR EACH ROW EXECUTE FUNCTION public.harms()`)
      for (const order of [orderAt(2), undefined])
        await t.rejects(apply([size('a', 1), size('b', 1)], order), { code: 'target_refused' }, at)
      t.strictSame(await sizes(), [], at)
      await session.execute('DROP FUNCTION public.harms() CASCADE')
    }
  })

  await test('a trigger that changes or deletes the commit is found out before anything is committed', async t => {
    const sent = { ...COMMIT, message: 'sent' }
    await apply([], orderAt(1))
    const stored = await session.query('SELECT * FROM public.commits')
    for (const [at, what] of [
      ['AFTER INSERT OR UPDATE ON public.commits', 'DELETE FROM public.commits'],
      ['AFTER INSERT ON public.compression_sizes', 'DELETE FROM public.commits'],
      ['BEFORE INSERT OR UPDATE ON public.commits', `NEW.message := 'other'`],
      ['BEFORE INSERT OR UPDATE ON public.commits', `NEW.timestamp := now()`],
      ['BEFORE UPDATE ON public.commits', 'RETURN NULL'],
      ['AFTER INSERT ON public.compression_sizes', `UPDATE public.commits SET url = 'other'`],
    ] as const) {
      await session.execute(`
        CREATE FUNCTION public.harms() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${what}; RETURN NEW; END $$;
        CREATE TRIGGER harms ${at} FOR EACH ROW EXECUTE FUNCTION public.harms()`)
      const failure = { code: 'target_refused', message: /^public\.commits / }
      for (const order of [orderAt(2), undefined])
        await t.rejects(apply([size('a', 1)], order, sent), failure, `${at} ${what}`)
      t.strictSame(await session.query('SELECT * FROM public.commits'), stored, at)
      await session.execute('DROP FUNCTION public.harms() CASCADE')
    }
  })

  await test('a database with harmless triggers accepts newer, older and repeated deliveries of a commit', async t => {
    await session.execute(`
      CREATE FUNCTION public.watches() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
      CREATE TRIGGER watches BEFORE INSERT OR UPDATE ON public.commits FOR EACH ROW EXECUTE FUNCTION public.watches()`)
    const first = orderAt(10)
    const newer = { ...COMMIT, message: 'newer', timestamp: '2026-02-01T00:00:00.1234567+01:00' }
    await apply([query()], first)
    await apply([query()], orderAt(20), newer)
    await apply([query()], first)
    await apply([query()], orderAt(5), { ...COMMIT, message: 'older' })
    await session.execute('TRUNCATE public.commits')
    await apply([query()], orderAt(6), { ...COMMIT, message: 'older' })
    t.match(await session.query('SELECT message FROM public.commits'), [{ message: 'older' }])
    await apply([query()], undefined, newer)
    t.match(await session.query('SELECT message FROM public.commits'), [{ message: 'newer' }])
    await session.execute('DROP FUNCTION public.watches() CASCADE')
  })

  await test('a commit is durable even if the database is set up to lose it', async t => {
    await session.execute(`SET synchronous_commit = off`)
    let setting: unknown
    const delivery = await deliveryOf([size('a')])
    const assertMayCommit = async (): Promise<void> => {}
    const watched: SqlSession = {
      query: (text, values) => session.query(text, values),
      execute: text => session.execute(text),
      copyIn: (target, data) => session.copyIn(target, data),
      pipeline: async statements => {
        setting = (await session.query('SHOW synchronous_commit'))[0]
        return session.pipeline(statements)
      },
    }
    await applyDelivery(watched, { ...delivery, assertMayCommit }, options)
    await session.execute(`RESET synchronous_commit`)
    t.strictSame(setting, { synchronous_commit: 'on' })
  })

  await t.test('without the schema vortex_ingest the last delivery wins, as before', async t => {
    await session.execute('TRUNCATE public.commits, public.compression_sizes; DROP SCHEMA vortex_ingest CASCADE')
    await apply([size('a', 2)], orderAt(20))
    await apply([size('a', 1)], orderAt(10))
    t.strictSame(await sizes(), ['a=1'])
    const { isOrdered } = await applyDelivery(session, { ...(await deliveryOf([])), order: orderAt(1) }, options)
    t.equal(isOrdered, false)
  })
}
