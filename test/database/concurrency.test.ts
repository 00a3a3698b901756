import t, { type Test } from 'tap'
import { postgresSink } from '../../src/targets/postgres/sink.js'
import { connectPostgres } from '../../src/database/postgres/connect.js'
import { parseDsn } from '../../src/database/postgres/dsn.js'
import { migrate } from '../../src/database/migrate.js'
import { repairTimestamps } from '../../src/database/repair-timestamps.js'
import type { Sink } from '../../src/targets/sink.js'
import type { WriteSettings } from '../../src/database/tunables.js'
import { withRetry, type Retry, type RetryPolicy } from '../../src/http/retry.js'
import { deliveryOf } from '../fixtures/delivery.js'
import { COMMIT, query } from '../fixtures/records.js'
import { startPostgres } from '../fixtures/postgres.js'
import { waitUntil } from '../fixtures/wait-until.js'

const signal = new AbortController().signal
const ignore = (): void => undefined

t.test('against Postgres', async t => {
  const server = await startPostgres(t)
  const url = (await server.createDatabase('concurrency')).replace('?sslmode=disable', '')
  const address = parseDsn(url, { insecureLocal: true })

  await t.test('two concurrent migrations both succeed and apply each file once', async t => {
    const sessions = await Promise.all([1, 2, 3].map(() => connectPostgres(address)))
    const results = await Promise.all(sessions.map(session => migrate(session)))
    const applied = results.flatMap(result => result.applied)
    t.strictSame([...applied].sort(), [...new Set(applied)].sort())
    t.equal(applied.length, results[0]!.applied.length + results[0]!.alreadyThere.length)
    await Promise.all(sessions.map(session => session.close()))
  })

  for (const [way, settings] of [
    ['pipelined path', undefined],
    ['staged', { 'small-rows': 0 }],
  ] as const)
    await t.test(
      `writers that disagree about a commit's time, and a repair beside them, end with one time, ${way}`,
      async t => {
        await server.sql('TRUNCATE commits, query_measurements', 'concurrency')
        const repairer = await connectPostgres(address)
        const sinks = await Promise.all(
          Array.from({ length: 6 }, () =>
            postgresSink(address, { random: Math.random, rolePolicy: 'any' }).open(signal),
          ),
        )
        for (let round = 0; round < 8; round++) {
          const push = async (sink: Sink, writer: number): Promise<void> => {
            const commit = { ...COMMIT, timestamp: `2026-01-0${1 + ((writer + round) % 3)}T00:00:00Z` }
            const records = [1, 2, 3].map(index => query({ query_idx: writer * 100 + index + round }))
            await sink.write(await deliveryOf(records, commit), ignore, settings)
          }
          await Promise.all([...sinks.map(push), repairTimestamps(repairer, { batchRows: 7 })])
        }
        await Promise.all([...sinks, repairer].map(opened => opened.close()))
        const disagreeing = await server.sql(
          'SELECT q.commit_timestamp FROM query_measurements q, commits c WHERE commit_timestamp IS DISTINCT FROM c.timestamp',
          'concurrency',
        )
        t.strictSame(disagreeing, [])
      },
    )

  const writers = async (t: Test, settings: WriteSettings): Promise<void> => {
    await server.sql('TRUNCATE commits, query_measurements', 'concurrency')
    const records = (writer: number): string[] =>
      Array.from({ length: 400 }, (_, index) => query({ query_idx: index < 200 ? index : index + writer * 1_000 }))
    const sinks = await Promise.all(
      Array.from({ length: 8 }, () => postgresSink(address, { random: Math.random, rolePolicy: 'any' }).open(signal)),
    )
    const receipts = await Promise.all(
      sinks.map(async (sink, writer) => sink.write(await deliveryOf(records(writer)), ignore, settings)),
    )
    await Promise.all(sinks.map(sink => sink.close()))
    const inserted = receipts.flatMap(({ kinds }) => kinds).reduce((sum, kind) => sum + kind.inserted, 0)
    const [row] = await server.sql('SELECT count(*)::int AS rows FROM query_measurements', 'concurrency')
    t.equal(inserted, 200 + 8 * 200)
    t.match(row, { rows: 200 + 8 * 200 })
  }
  const inFlight = 'eight writers of one new commit with shared ids: no failure, no lost row, inserted adds up'
  await t.test(inFlight, t => writers(t, {}))
  await t.test('the same with staging tables', t => writers(t, { 'small-rows': 0 }))

  await t.test('a deadlocked delivery is retried from its start and both deliveries succeed', async t => {
    const sink = await postgresSink(address, { random: () => 0, rolePolicy: 'any' }).open(signal)
    await sink.write(await deliveryOf([query({ query_idx: 1 })]), ignore)
    const rival = await connectPostgres(address)
    // The rival holds the measurement and then wants the commit, the sink holds the commit and wants the measurement.
    await rival.execute(`BEGIN; SET LOCAL deadlock_timeout = '10s'; SELECT 1 FROM query_measurements FOR UPDATE`)
    const retries: Retry[] = []
    const writing = sink.write(await deliveryOf([query({ query_idx: 1, value_ns: 77 })]), retry => retries.push(retry))
    await untilBlocked(server)
    await rival.execute('SELECT 1 FROM commits FOR UPDATE; COMMIT')
    await writing
    t.ok(retries.length > 0)
    for (const { error } of retries) t.match(error, { code: /./, message: /deadlock detected/ })
    t.match(await server.sql('SELECT value_ns::int FROM query_measurements WHERE query_idx = 1', 'concurrency'), [
      { value_ns: 77 },
    ])
    await Promise.all([rival.close(), sink.close()])
  })
})

/** Waits until some backend waits for a lock. */
async function untilBlocked(server: { sql(text: string): Promise<Record<string, unknown>[]> }): Promise<void> {
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`
  await waitUntil(async () => (await server.sql(waiting)).length > 0)
}

t.test('retries', async t => {
  const policy: RetryPolicy = { attempts: 4, baseDelayMs: 10, maxDelayMs: 25 }

  await t.test('wait a random part of a doubling, capped delay', async t => {
    const slept: number[] = []
    const tools = { random: () => 0.5, sleep: async (delayMs: number) => void slept.push(delayMs), now: () => 0 }
    const told: number[] = []
    const onRetry = ({ waitMs }: Retry): void => void told.push(waitMs)
    let calls = 0
    const work = async (): Promise<string> => {
      if (++calls < 4) throw new Error('again')
      return 'done'
    }
    t.equal(await withRetry(work, { policy, tools, mayRetry: () => true, onRetry }), 'done')
    t.strictSame(told, slept)
    t.strictSame(slept, [5, 10, 12.5])
  })

  await t.test(
    'end with the last error after all attempts, and at once for an error that must not be retried',
    async t => {
      const tools = { random: () => 0, sleep: async () => undefined, now: () => 0 }
      let calls = 0
      const work = async (): Promise<never> => {
        throw new Error(`try ${++calls}`)
      }
      await t.rejects(withRetry(work, { policy, tools, mayRetry: () => true, onRetry: ignore }), { message: 'try 4' })
      await t.rejects(withRetry(work, { policy, tools, mayRetry: () => false, onRetry: ignore }), { message: 'try 5' })
    },
  )
  await t.test('wait at least as long as the failed call demands, but not beyond the deadline', async t => {
    let clock = 0
    const slept: number[] = []
    const sleep = async (delayMs: number): Promise<void> => {
      slept.push(delayMs)
      clock += delayMs
    }
    const tools = { random: () => 1, sleep, now: () => clock }
    const work = async (): Promise<never> => {
      clock += 1
      throw new Error(`at ${clock}`)
    }
    const patient = { ...policy, attempts: 100, deadlineMs: 1_000 }
    await t.rejects(withRetry(work, { policy: patient, tools, mayRetry: () => 300, onRetry: ignore }))
    t.strictSame(slept, [300, 300, 300], 'a fourth wait would end after the deadline')
    slept.length = 0
    await t.rejects(withRetry(work, { policy: patient, tools, mayRetry: () => 1_001, onRetry: ignore }))
    t.strictSame(slept, [], 'what is too late is not waited for at all')
  })
})
