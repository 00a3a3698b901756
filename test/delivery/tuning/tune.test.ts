import t from 'tap'
import { parseFailPoint, FailPoints } from '../../../src/delivery/fail-points.js'
import { tune, type TuneOptions, type Tuned } from '../../../src/delivery/tuning/tune.js'
import { migrate } from '../../../src/database/migrate.js'
import { connectPostgres } from '../../../src/database/postgres/connect.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import { postgresSink } from '../../../src/targets/postgres/sink.js'
import type { SinkOpener } from '../../../src/targets/sink.js'
import { settingsKey, readTrials, recordTrial, type Trial } from '../../../src/state/trial.js'
import { memoryStorage } from '../../../src/storage/memory.js'
import { deliveryOf, size } from '../../fixtures/delivery.js'
import { query } from '../../fixtures/records.js'
import { startPostgres } from '../../fixtures/postgres.js'
import { stateOn } from '../../state/fixtures/filled.js'
import { DEFAULTS, trialOf } from './fixtures/trials.js'
import { POSTGRES } from '../../../src/targets/postgres/kind.js'

const server = await startPostgres(t)
const url = (await server.createDatabase('tuned')).replace('?sslmode=disable', '')
const address = parseDsn(url, { insecureLocal: true })
const session = await connectPostgres(address)
t.teardown(() => session.close())
await migrate(session)

const database = postgresSink(address, { random: Math.random, rolePolicy: 'any', rehearse: true })
const delivery = await deliveryOf([...Array.from({ length: 40 }, (_, at) => query({ query_idx: at })), size('a')])

function options(more: Partial<TuneOptions> = {}): TuneOptions {
  return {
    ...{ opener: database, tunables: POSTGRES.tunables, active: DEFAULTS, delivery },
    // A sample large enough that every setting makes a difference.
    sample: { records: 10_000, bytes: 100_000_000 },
    ...{ trials: 2, budgetMs: 60_000, maxTrialsPerHour: 1_000 },
    ...{
      onTrial: () => undefined,
      onDelivery: () => undefined,
      onError: () => undefined,
      signal: new AbortController().signal,
      ...more,
    },
  }
}

const keys = (tuned: Tuned): readonly string[] => tuned.trials.map(({ settings }) => settingsKey(settings))

t.test('trials are delivered for real, remembered, and leave nothing in the target', async t => {
  const state = await stateOn(memoryStorage())
  const told: Trial[] = []
  const tuned = await tune(state, options({ onTrial: trial => told.push(trial) }))
  t.equal(tuned.stopped, 'trials')
  t.match(tuned.rehearsal, { records: 41, inserted: 41 })
  t.match(tuned.trials, [
    {
      champion: DEFAULTS,
      result: { challenger: { deliveries: 5, errors: 0 }, champion: { deliveries: 5, errors: 0 } },
    },
    { result: { challenger: { deliveries: 5 } } },
  ])
  t.ok(tuned.trials.every(({ result }) => result!.challenger.p50Ms > 0 && result!.challenger.rowsPerSecond > 0))
  t.strictSame(told, tuned.trials)
  t.strictSame(await readTrials(state.storage, database.id), tuned.trials)
  const rows = await session.query('SELECT commit_sha FROM commits UNION ALL SELECT commit_sha FROM query_measurements')
  t.strictSame(rows, [])
})

t.test('nothing is tried twice over several runs, and the next one follows from the history alone', async t => {
  const [one, other] = [await stateOn(memoryStorage()), await stateOn(memoryStorage())]
  const first = await tune(one, options())
  for (const trial of first.trials) await recordTrial(other, trial)
  const second = await tune(one, options())
  t.equal(new Set([...keys(first), ...keys(second)]).size, 4)
  t.strictSame(keys(await tune(other, options({ trials: 1 }))), keys(second).slice(0, 1))
})

t.test('two concurrent processes never try the same settings', async t => {
  const storage = memoryStorage()
  const [one, other] = [await stateOn(storage), await stateOn(storage)]
  const [first, second] = await Promise.all([tune(one, options()), tune(other, options())])
  t.equal(new Set([...keys(first), ...keys(second)]).size, 4)
  t.equal((await readTrials(storage, database.id)).length, 4)
})

t.test('tuning ends when its time budget is spent', async t => {
  const state = await stateOn(memoryStorage())
  // Only writes take time.
  let clockMs = 0
  t.intercept(process, 'hrtime', { value: () => [0, clockMs * 1e6] })
  const slow = withWrite(database, write => {
    clockMs += 70
    return write()
  })
  const tuned = await tune(state, options({ opener: slow, trials: 100, budgetMs: 1_000 }))
  t.equal(tuned.stopped, 'budget')
  t.ok(tuned.trials.length > 0 && tuned.trials.length < 3, `${tuned.trials.length} trials`)
  t.equal(tuned.trials.at(-1)?.result?.won, false, 'one that was cut short proves nothing')
})

t.test('after so many trials in an hour it cools down, over all runs', async t => {
  let now = Date.parse('2026-02-01T00:00:00Z')
  const state = await stateOn(memoryStorage(), () => now)
  const limited = options({ maxTrialsPerHour: 2, trials: 5 })
  const first = await tune(state, limited)
  t.match(first, { stopped: 'cool-down', nextAt: now + 3_600_000 })
  t.equal(first.trials.length, 2)
  now += 3_599_000
  t.match(await tune(state, { ...limited, budgetMs: 500 }), { stopped: 'cool-down', trials: [] })
  now += 1_000
  t.equal((await tune(state, { ...limited, trials: 1 })).trials.length, 1)
})

t.test('a cool-down that the budget has room for is waited for', async t => {
  const state = await stateOn(memoryStorage())
  const endsAt = Date.now() + 300
  const settings = { ...DEFAULTS, 'copy-bytes': 256 * 1024 }
  const at = new Date(endsAt - 3_600_000).toISOString()
  await recordTrial(state, trialOf({ settings, target: database.id, at }))
  const tuned = await tune(state, options({ maxTrialsPerHour: 1, trials: 1 }))
  t.equal(tuned.stopped, 'trials')
  t.ok(Date.parse(tuned.trials[0]!.at) >= endsAt)
})

t.test('it ends when nothing is left to try', async t => {
  const state = await stateOn(memoryStorage())
  const tuned = await tune(state, options({ trials: 1_000, tunables: POSTGRES.tunables.slice(1, 2) }))
  t.match(tuned, { stopped: 'exhausted' })
})

t.test('failed deliveries are counted and reported; an unreachable target ends the run', async t => {
  const state = await stateOn(memoryStorage())
  const points = new FailPoints(parseFailPoint('postgres.write#4=fail'))
  const errors: unknown[] = []
  const onError = (error: unknown): void => void errors.push(error)
  const tuned = await tune(state, options({ opener: points.opener('postgres', database), trials: 1, onError }))
  const { challenger, champion } = tuned.trials[0]!.result!
  t.equal(challenger.errors + champion.errors, 1)
  t.match(errors, [{ code: 'target_unreachable' }])
  const dead = new FailPoints(parseFailPoint('postgres.open=fail')).opener('postgres', database)
  await t.rejects(tune(state, options({ opener: dead, onError })), { code: 'target_unreachable' })
  t.equal(errors.length, 2)
  let writes = 0
  const gone = withWrite(database, write => (++writes > 1 ? Promise.reject(new Error('gone')) : write()))
  await t.rejects(tune(state, options({ opener: gone })), { message: 'gone' })
  t.equal((await readTrials(state.storage, database.id)).length, 1, 'a trial without figures is none')
})

t.test('one that is interrupted is forgotten, one that was killed is never tried again', async t => {
  const state = await stateOn(memoryStorage())
  const stop = new AbortController()
  const stopping = withWrite(database, write => {
    stop.abort(new Error('enough'))
    return write()
  })
  await t.rejects(tune(state, options({ opener: stopping, signal: stop.signal })))
  t.strictSame(await readTrials(state.storage, database.id), [])
  const settings = { ...DEFAULTS, 'copy-bytes': 256 * 1024 }
  await recordTrial(state, { ...trialOf({ settings, target: database.id }), result: undefined })
  t.notOk(keys(await tune(state, options())).includes(settingsKey(settings)))
})

/** The same target with a hook around each delivery except the first. */
function withWrite(inner: SinkOpener, around: <T>(write: () => Promise<T>) => Promise<T>): SinkOpener {
  return {
    ...inner,
    open: async signal => {
      const sink = await inner.open(signal)
      return { write: (...params) => around(() => sink.write(...params)), close: () => sink.close() }
    },
  }
}
