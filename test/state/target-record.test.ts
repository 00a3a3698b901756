import t from 'tap'
import { targetKey } from '../../src/state/keys.js'
import { recordTarget, knownTargets } from '../../src/state/target-record.js'
import { keysOf, testState } from './fixtures/state.js'

const target = { id: 'http://there', kind: 'server', description: 'there' }

t.test('a target is recorded once and keeps the time of its first record', async t => {
  const state = testState()
  await recordTarget(state, target)
  state.clock.now += 1000
  await recordTarget(state, { ...target, description: 'elsewhere' })
  await recordTarget(state, { ...target, id: 'http://there:81' })
  const known = await knownTargets(state.storage)
  t.equal(known.length, 2)
  t.match(
    known.find(({ id }) => id === target.id),
    { ...target, since: '2026-04-25T00:00:00.000Z' },
  )
})

t.test('a record is stored with the target id in the field `name`, as earlier versions did', async t => {
  const state = testState()
  await recordTarget(state, target)
  const stored: unknown = JSON.parse((await state.storage.get(targetKey(target.id)))!.toString())
  t.strictSame(stored, {
    ...{ version: 1, name: 'http://there', kind: 'server', description: 'there' },
    since: '2026-04-25T00:00:00.000Z',
  })
})

t.test('several processes may record a target at once', async t => {
  const state = testState()
  await Promise.all(Array.from({ length: 8 }, () => recordTarget(state, target)))
  t.equal((await keysOf(state, 'targets/')).length, 1)
})

t.test('a record that cannot be read is refused and not changed', async t => {
  const state = testState()
  const key = targetKey(target.id)
  for (const [body, code] of [
    ['{', 'state_corrupt'],
    ['{"version":1}', 'state_corrupt'],
    ['{"version":2}', 'state_version'],
  ] as const) {
    await state.storage.put(key, Buffer.from(body))
    await t.rejects(recordTarget(state, target), { code, message: new RegExp(`^${key} in memory:`) })
    await t.rejects(knownTargets(state.storage), { code })
    t.equal((await state.storage.get(key))?.toString(), body)
  }
})
