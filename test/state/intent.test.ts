import t from 'tap'
import { deleteIntent, listIntents, putIntent, readIntent } from '../../src/state/intent.js'
import { intentKey } from '../../src/state/keys.js'
import { acquireLease } from '../../src/state/lease.js'
import { TARGET_PARTITION, keysOf, owner, testState } from './fixtures/state.js'

t.test('an intent holds everything that recovery needs, and deleting removes it', async t => {
  const state = testState()
  const lease = await acquireLease(state, TARGET_PARTITION, { waitMs: 0 })
  const intent = await putIntent(state, lease, { since: 3, until: 9 })
  t.match(intent, {
    ...TARGET_PARTITION,
    since: 3,
    until: 9,
    owner: owner(),
    fencingToken: 1,
    at: '2026-04-25T00:00:00.000Z',
  })
  const { fencingToken, ...rest } = intent
  const stored: unknown = JSON.parse((await state.storage.get(intentKey(intent.id)))!.toString())
  t.strictSame(stored, { version: 1, ...rest, fence: fencingToken }, 'the stored field is called fence')
  t.strictSame(await readIntent(state.storage, intent.id), intent)
  t.strictSame(await listIntents(state.storage), [intent])
  await deleteIntent(state.storage, intent)
  await deleteIntent(state.storage, intent)
  t.equal(await readIntent(state.storage, intent.id), undefined)
  t.strictSame(await listIntents(state.storage), [])
  await lease.release()
})

t.test('intents are listed oldest first', async t => {
  const state = testState()
  const lease = await acquireLease(state, TARGET_PARTITION, { waitMs: 0 })
  const made = []
  for (let until = 1; until <= 5; until++) {
    state.clock.now += 1
    made.push(await putIntent(state, lease, { since: until - 1, until }))
  }
  t.strictSame(await listIntents(state.storage), made)
  await lease.release()
})

t.test('an intent that cannot be read stops the listing, is named and is not changed', async t => {
  const state = testState()
  const lease = await acquireLease(state, TARGET_PARTITION, { waitMs: 0 })
  const { id } = await putIntent(state, lease, { since: 0, until: 1 })
  await lease.release()
  const [key = ''] = await keysOf(state, 'intents/')
  const whole = (await state.storage.get(key))!.toString()
  const cases: readonly (readonly [string, string])[] = [
    ['', 'state_corrupt'],
    [whole.slice(0, 40), 'state_corrupt'],
    [whole.replace('"since":0', '"since":-1'), 'state_corrupt'],
    [whole.replace('"owner"', '"owners"'), 'state_corrupt'],
    [whole.replace('"version":1', '"version":2'), 'state_version'],
  ]
  for (const [body, code] of cases) {
    await state.storage.put(key, Buffer.from(body))
    await t.rejects(listIntents(state.storage), { code, message: new RegExp(`^intents/${id} in memory:`) }, body)
    t.equal((await state.storage.get(key))?.toString(), body)
  }
})
