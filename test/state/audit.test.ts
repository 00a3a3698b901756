import t from 'tap'
import { audit } from '../../src/state/audit.js'
import { auditKey } from '../../src/state/keys.js'
import { summarizeState } from '../../src/state/state-summary.js'
import { newId } from '../../src/state/ulid.js'
import { lastAuditRows } from './fixtures/audit-rows.js'
import { TARGET_PARTITION, testState } from './fixtures/state.js'

const row = (id: string, detail = ''): Parameters<typeof audit>[1] => ({
  id,
  event: 'recovered',
  ...TARGET_PARTITION,
  since: 0,
  until: 3,
  detail,
})

t.test('an event that is logged twice has one audit row', async t => {
  const state = testState()
  const id = newId(state.clock.now)
  await audit(state, row(id, 'first'))
  await audit(state, row(id, 'second'))
  const rows = await lastAuditRows(state.storage, 5)
  t.match(rows, [{ id, event: 'recovered', detail: 'first', at: '2026-04-25T00:00:00.000Z', since: 0, until: 3 }])
  t.equal(rows.length, 1)
})

t.test('the newest rows come first', async t => {
  const state = testState()
  for (let index = 0; index < 7; index++) await audit(state, row(newId(state.clock.now + index), String(index)))
  const details = async (limit: number): Promise<readonly string[]> =>
    (await lastAuditRows(state.storage, limit)).map(({ detail }) => detail)
  t.strictSame(await details(0), [])
  t.strictSame(await details(1), ['6'])
  t.strictSame(await details(3), ['6', '5', '4'])
  t.equal((await details(100)).length, 7)
})

t.test('rows are sorted by the time they were written, not by the start of their delivery', async t => {
  const state = testState()
  const [early, late] = [newId(state.clock.now), newId(state.clock.now + 1)]
  await audit(state, row(late, 'first'))
  state.clock.now += 60_000
  await audit(state, row(early, 'second'))
  const found = await summarizeState(state.storage, 5)
  t.strictSame(
    found.audit.map(({ detail }) => detail),
    ['second', 'first'],
  )
})

t.test('a row that cannot be read is reported, and the others are shown', async t => {
  const state = testState()
  const [first, bad, newer, last] = [1, 2, 3, 4].map(number => newId(state.clock.now + number)) as [string, ...string[]]
  for (const id of [first, last!]) await audit(state, row(id))
  await state.storage.put(auditKey(bad!), Buffer.from('{"version":1}'))
  await state.storage.put(auditKey(newer!), Buffer.from('{"version":2}'))
  const found = await summarizeState(state.storage, 5)
  t.strictSame(
    found.audit.map(({ id }) => id),
    [last, first],
  )
  t.match(found.problems, [new RegExp(`^audit/${newer} .*version 2`), new RegExp(`^audit/${bad} .*damaged`)])
})
