import t, { type Test } from 'tap'
import { join } from 'node:path'
import { FailPoints, parseFailPoint } from '../../src/delivery/fail-points.js'
import { IngestError } from '../../src/errors.js'
import { lastAuditRows } from './fixtures/state.js'
import { promotionsKey } from '../../src/state/keys.js'
import {
  activePromotion,
  MAX_PROMOTIONS,
  promoteTrial,
  readPromotions,
  rollBackPromotion,
} from '../../src/state/promotions.js'
import type { RegisteredTarget } from '../../src/state/registry.js'
import type { State } from '../../src/state/state.js'
import { claimTrial, recordTrial, type Trial } from '../../src/state/trial.js'
import { memoryStorage } from '../../src/storage/memory.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { DEFAULTS, trialOf } from '../delivery/tuning/fixtures/trials.js'
import { findMoto, NO_MOTO, startMoto } from '../fixtures/moto.js'
import { stateOn, watched } from './fixtures/filled.js'

const none = { secretEnv: undefined, bucket: undefined, rolePolicy: undefined, region: undefined }
const more = { isRequired: true, insecureLocal: false, addedAt: '2026-01-31T12:00:00.000Z', ...none }
const db: RegisteredTarget = { name: 'db', kind: 'embedded', address: '/db', identity: 'embedded:/db', ...more }
const other: RegisteredTarget = { ...db, name: 'other', address: '/other', identity: 'embedded:/other' }

/** Stores a finished trial. */
async function tried(state: State, number: number, target = db): Promise<Trial> {
  const settings = { ...DEFAULTS, 'small-rows': number }
  const trial = trialOf({ settings, target: target.identity })
  await recordTrial(state, trial)
  return trial
}

const by = 'ada@there'
const promotionsOf = (state: State): ReturnType<typeof readPromotions> => readPromotions(state.storage, db.identity)

t.test('a promotion is stored with person, time, note and trial when promote returns', async t => {
  const now = Date.parse('2026-02-01T00:00:00Z')
  const state = await stateOn(memoryStorage(), () => now)
  const { id: trial, settings } = await tried(state, 1)
  const { promotion, changed } = await promoteTrial(state, db, { trial, by, note: 'far from CI' })
  t.equal(changed, true)
  const at = '2026-02-01T00:00:00.000Z'
  t.match(promotion, { at, by, note: 'far from CI', trial, settings, rolledBack: undefined })
  t.strictSame(activePromotion(await promotionsOf(state)), promotion)
  t.match(await lastAuditRows(state.storage, 5), [
    { event: 'promoted', target: db.identity, detail: /trial \w+ by ada/ },
  ])
})

t.test('promoting the active trial again changes nothing', async t => {
  const state = await stateOn(memoryStorage())
  const { id: trial } = await tried(state, 1)
  const { promotion } = await promoteTrial(state, db, { trial, by })
  t.strictSame(await promoteTrial(state, db, { trial, by: 'grace' }), { promotion, changed: false })
  t.equal((await promotionsOf(state)).length, 1)
  t.equal((await lastAuditRows(state.storage, 5)).length, 1)
})

t.test('a rollback restores the previous promotion, and the last one restores the defaults', async t => {
  const state = await stateOn(memoryStorage())
  const first = await promoteTrial(state, db, { trial: (await tried(state, 1)).id, by })
  const second = await promoteTrial(state, db, { trial: (await tried(state, 2)).id, by })
  const once = await rollBackPromotion(state, db, { by: 'grace' })
  t.strictSame(once.to, first.promotion)
  t.match(once.from, { id: second.promotion.id, rolledBack: { by: 'grace', at: String } })
  t.equal((await rollBackPromotion(state, db, { by })).to, undefined)
  t.equal(activePromotion(await promotionsOf(state)), undefined)
  await t.rejects(rollBackPromotion(state, db, { by }), { code: 'not_found', message: /nothing to roll back for db/ })
  t.equal((await promotionsOf(state)).length, 2, 'the history stays')
  const events = (await lastAuditRows(state.storage, 9)).map(({ event }) => event)
  t.same(events.sort(), ['promoted', 'promoted', 'rolled-back', 'rolled-back'])
})

t.test('rolling back a promotion made after a rollback restores the remaining one', async t => {
  const state = await stateOn(memoryStorage())
  const first = await promoteTrial(state, db, { trial: (await tried(state, 1)).id, by })
  await promoteTrial(state, db, { trial: (await tried(state, 2)).id, by })
  await rollBackPromotion(state, db, { by })
  await promoteTrial(state, db, { trial: (await tried(state, 3)).id, by })
  t.equal((await rollBackPromotion(state, db, { by })).to?.id, first.promotion.id)
})

t.test('a trial is found by a prefix of its id that is unique for the target', async t => {
  const state = await stateOn(memoryStorage())
  const trials = await Promise.all(Array.from({ length: 20 }, (_, number) => tried(state, number)))
  const [{ id }] = trials as [Trial, ...Trial[]]
  // Among 20 hexadecimal ids, at least two share their first digit.
  const shared = trials.map(trial => trial.id[0]!).find((first, at, all) => all.indexOf(first) !== at)!
  const alike = trials.map(trial => trial.id).filter(one => one.startsWith(shared))
  const message = `the trial id ${shared} is ambiguous: ${alike.sort().join(', ')}`
  await t.rejects(promoteTrial(state, db, { trial: shared, by }), { code: 'usage', message })
  await t.rejects(promoteTrial(state, db, { trial: '', by }), { code: 'not_found' })
  const one = await promoteTrial(state, db, { trial: id.slice(0, 8), by })
  t.equal(one.promotion.trial, id)
  t.strictSame(await promoteTrial(state, db, { trial: id, by }), { ...one, changed: false })
})

t.test('a trial that is unknown, of another target or without a result is refused', async t => {
  const state = await stateOn(memoryStorage())
  await t.rejects(promoteTrial(state, db, { trial: 'none', by }), {
    code: 'not_found',
    message: 'there is no trial none',
  })
  const { id } = await tried(state, 1, other)
  const message = `the trial ${id} belongs to embedded:/other, not to db`
  await t.rejects(promoteTrial(state, db, { trial: id, by }), { code: 'not_found', message })
  const cutOff = { ...trialOf({ settings: DEFAULTS, target: db.identity }), result: undefined }
  t.equal(await claimTrial(state, cutOff), true)
  await t.rejects(promoteTrial(state, db, { trial: cutOff.id, by }), { code: 'not_found', message: /no result/ })
  t.strictSame(await promotionsOf(state), [])
})

t.test(`the history keeps the last ${MAX_PROMOTIONS}`, async t => {
  const state = await stateOn(memoryStorage())
  const ids: string[] = []
  for (let number = 0; number <= MAX_PROMOTIONS; number++) {
    const { id: trial } = await tried(state, number)
    ids.unshift((await promoteTrial(state, db, { trial, by })).promotion.id)
  }
  const kept = (await promotionsOf(state)).map(({ id }) => id)
  t.strictSame(kept, ids.slice(0, MAX_PROMOTIONS))
})

/** In any order, no promotion is lost and one is active. */
async function promoteAtOnce(t: Test, storage: Storage): Promise<void> {
  const states = await Promise.all(Array.from({ length: 6 }, () => stateOn(storage)))
  const trials = await Promise.all(states.map((state, number) => tried(state, number)))
  await Promise.all(states.map((state, index) => promoteTrial(state, db, { trial: trials[index]!.id, by: `${index}` })))
  const promotions = await readPromotions(storage, db.identity)
  t.same(promotions.map(({ by }) => by).sort(), ['0', '1', '2', '3', '4', '5'])
  await Promise.all(states.map(state => rollBackPromotion(state, db, { by })))
  t.equal(activePromotion(await readPromotions(storage, db.identity)), undefined)
  await t.rejects(rollBackPromotion(states[0]!, db, { by }), { code: 'not_found' })
}

t.test('of concurrent promotions, each is in the history and one is active', async t => {
  await promoteAtOnce(t, await openStorage({ kind: 'local', folder: join(t.testdir({}), 'state') }))
})

const python = await findMoto()
if (python === undefined) t.pass('promotions in S3', { skip: NO_MOTO })
else
  t.test('of concurrent promotions in S3, each is in the history and one is active', async t => {
    const { endpoint, createBucket } = await startMoto(t, python)
    const place = { bucket: await createBucket(), prefix: 'state', region: undefined, endpoint, pathStyle: true }
    const storage = await openStorage({ kind: 's3', ...place })
    t.teardown(() => storage.close())
    await promoteAtOnce(t, storage)
  })

t.test('when any step of a promotion fails, it is either active and in the history, or neither', async t => {
  const failed = new IngestError('storage_failed', 'on purpose')
  for (let step = 1; ; step++) {
    const storage = memoryStorage()
    const whole = await stateOn(storage)
    const { id: trial } = await tried(whole, 1)
    let steps = 0
    const faulty = { ...whole, storage: watched(storage, () => void (++steps === step && fail(failed))) }
    const answer = await promoteTrial(faulty, db, { trial, by }).catch((error: unknown) => error)
    const promotions = await readPromotions(storage, db.identity)
    if (answer !== failed) break
    t.strictSame(promotions, [], `after step ${step} failed`)
    t.equal((await promoteTrial(whole, db, { trial, by })).changed, true, 'done again it is done')
  }
})

t.test('a lost response does not cause a second promotion', async t => {
  const storage = memoryStorage()
  const state = await stateOn(storage)
  const { id: trial } = await tried(state, 1)
  const lost = new FailPoints(parseFailPoint('promotion.put=lose-answer')).storage(storage)
  await t.rejects(promoteTrial({ ...state, storage: lost }, db, { trial, by }), { code: 'storage_failed' })
  t.equal((await promoteTrial(state, db, { trial, by })).changed, false)
  t.equal((await promotionsOf(state)).length, 1)
})

t.test('a damaged or newer object stops the command and is named', async t => {
  const state = await stateOn(memoryStorage())
  await state.storage.put(promotionsKey(db.identity), Buffer.from('{"version":1,"promotions":[{}]}'))
  await t.rejects(promotionsOf(state), { code: 'state_corrupt', message: /promotions\/embedded-/ })
  await state.storage.put(promotionsKey(db.identity), Buffer.from('{"version":99}'))
  await t.rejects(promotionsOf(state), { code: 'state_version' })
})

function fail(error: Error): never {
  throw error
}
