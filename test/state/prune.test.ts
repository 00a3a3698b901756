import t from 'tap'
import { type PrunedOrSkipped, pruneOutbox } from '../../src/state/prune.js'
import { lastAuditRows } from './fixtures/state.js'
import { listIntents, putIntent } from '../../src/state/intent.js'
import { acquireLease } from '../../src/state/lease.js'
import { sweepUnnamedLines } from '../../src/state/outbox.js'
import type { State } from '../../src/state/state.js'
import { memoryStorage } from '../../src/storage/memory.js'
import { SHA } from '../fixtures/records.js'
import {
  all,
  bordersOf,
  datasetsIn,
  deliverTo,
  elsewhere,
  headOf,
  keysOf,
  linesObjects,
  makeKnown,
  stateOn,
  STORAGES,
  take,
  watched,
} from './fixtures/filled.js'

const DAY = 86_400_000
const ORDINARY = { olderThanMs: undefined, dryRun: false }

async function pruned(
  state: State,
  options = ORDINARY as Parameters<typeof pruneOutbox>[1],
): Promise<readonly PrunedOrSkipped[]> {
  return all(pruneOutbox(state, options))
}

/** Opens no sink: the target is down. */
const dead = {
  write: () => Promise.reject(new Error('down')),
  close: () => Promise.resolve(),
}

for (const [name, open] of STORAGES)
  t.test(`prune of a state in ${name}`, async t => {
    const fresh = async (now?: () => number): Promise<State> => stateOn(await open(t.testdir({})), now)

    await t.test('removes the batches and lines that every known target has, and nothing else', async t => {
      const state = await fresh()
      await makeKnown(state, 'one', 'two')
      for (const dataset of ['a', 'b', 'c']) await take(state, [dataset, `${dataset}2`])
      await deliverTo(state, 'one', memoryStorage())
      t.same(await pruned(state), [], 'two has nothing')
      const two = memoryStorage()
      await deliverTo(state, 'two', two, 2)
      t.match(await pruned(state), [{ partition: SHA, batches: 1, records: 2, lost: new Map() }])
      t.same(await bordersOf(state), ['3-4', '5-6'])
      t.same(await datasetsIn(state), ['b', 'b2', 'c', 'c2'])
      t.equal((await linesObjects(state)).length, 2)
      t.equal(await deliverTo(state, 'two', two), undefined)
      t.same(await keysOf(two), [
        `compression_sizes/${SHA}/0000000000000000-0000000000000002.jsonl.gz`,
        `compression_sizes/${SHA}/0000000000000002-0000000000000004.jsonl.gz`,
        `compression_sizes/${SHA}/0000000000000004-0000000000000006.jsonl.gz`,
      ])
      t.same(await lastAuditRows(state.storage, 9), [])
    })

    await t.test('keeps the head, so that sequence numbers continue and positions are known', async t => {
      const state = await fresh()
      await makeKnown(state, 'one')
      const { positions } = await take(state, ['a', 'b'])
      await deliverTo(state, 'one', memoryStorage())
      await pruned(state)
      t.match(await headOf(state), { next: 3, batches: [] })
      t.same((await headOf(state)).positions, positions)
      t.same(await linesObjects(state), [])
      await take(state, ['c'])
      t.same(await bordersOf(state), ['3-3'])
      const later = memoryStorage()
      t.equal(await deliverTo(state, 'one', later), undefined)
      t.same(await keysOf(later), [`compression_sizes/${SHA}/0000000000000002-0000000000000003.jsonl.gz`])
    })

    await t.test('removes nothing when no target is known, however old the batches are', async t => {
      const state = await fresh()
      await take(state, ['a'])
      t.same(await pruned(state), [])
      t.same(await bordersOf(state), ['1-1'])
    })

    await t.test('a dry run changes nothing', async t => {
      const state = await fresh()
      await makeKnown(state, 'one')
      await take(state, ['a'])
      await deliverTo(state, 'one', memoryStorage())
      const before = await keysOf(state.storage)
      t.match(await pruned(state, { ...ORDINARY, dryRun: true }), [{ batches: 1, records: 1 }])
      t.same(await keysOf(state.storage), before)
      t.same(await datasetsIn(state), ['a'])
    })

    await t.test(
      'by age removes older batches and reports the targets that lose them, also in an audit row',
      async t => {
        let now = Date.parse('2026-01-01T00:00:00Z')
        const state = await fresh(() => now)
        await makeKnown(state, 'one', 'two')
        await take(state, ['a', 'b'])
        await take(state, ['c'])
        await deliverTo(state, 'two', memoryStorage(), 1)
        now += 31 * DAY
        await take(state, ['d'])
        const result = await pruned(state, { olderThanMs: 30 * DAY, dryRun: false })
        t.match(result, [{ batches: 2, records: 3 }])
        t.same((result[0] as { lost: unknown }).lost, new Map(Object.entries({ one: 3, two: 1 })))
        t.same(await datasetsIn(state), ['d'])
        t.match(await lastAuditRows(state.storage, 9), [
          {
            event: 'pruned',
            partition: SHA,
            since: 0,
            until: 3,
            detail: /one never gets 3 of them; two never gets 1 of them/,
          },
        ])
        const one = memoryStorage()
        t.equal(await deliverTo(state, 'one', one), undefined)
        t.equal((await keysOf(one)).length, 1)
        t.same(await pruned(state), [], 'two lacks d')
      },
    )

    await t.test('by age writes no audit row when no target loses records', async t => {
      let now = Date.parse('2026-01-01T00:00:00Z')
      const state = await fresh(() => now)
      await makeKnown(state, 'one')
      await take(state, ['a'])
      await deliverTo(state, 'one', memoryStorage())
      now += 31 * DAY
      t.match(await pruned(state, { olderThanMs: 30 * DAY, dryRun: false }), [{ records: 1, lost: new Map() }])
      t.same(await lastAuditRows(state.storage, 9), [])
    })

    await t.test('by age discards an intent whose lines were all removed', async t => {
      let now = Date.parse('2026-01-01T00:00:00Z')
      const state = await fresh(() => now)
      await makeKnown(state, 'one')
      await take(state, ['a'])
      t.match(await deliverTo(state, 'one', dead), { message: 'down' })
      const [intent] = await listIntents(state.storage)
      now += 31 * DAY
      await pruned(state, { olderThanMs: 30 * DAY, dryRun: false })
      t.same(await listIntents(state.storage), [])
      t.match(
        (await lastAuditRows(state.storage, 9)).map(({ event, id }) => [event, event === 'discarded' ? id : '']).sort(),
        [
          ['discarded', intent?.id],
          ['pruned', ''],
        ],
      )
    })

    await t.test('skips a commit that another process is delivering, and releases its own leases', async t => {
      const state = await fresh()
      await makeKnown(state, 'one', 'two')
      await take(state, ['a'])
      for (const target of ['one', 'two']) await deliverTo(state, target, memoryStorage())
      const lease = await acquireLease(elsewhere(state), { target: 'two', partition: SHA }, { waitMs: 0 })
      t.match(await pruned(state), [{ partition: SHA, skipped: /another process/ }])
      t.same(await datasetsIn(state), ['a'])
      await lease.release()
      t.match(await pruned(state), [{ batches: 1 }])
      await (await acquireLease(state, { target: 'one', partition: SHA }, { waitMs: 0 })).release()
    })

    await t.test('keeps the lines that an open intent needs, even when the watermark is higher', async t => {
      const state = await fresh()
      await makeKnown(state, 'one', 'two')
      await take(state, ['a'])
      await take(state, ['b'])
      for (const target of ['one', 'two']) await deliverTo(state, target, memoryStorage())
      const lease = await acquireLease(elsewhere(state), { target: 'one', partition: SHA }, { waitMs: 0 })
      await putIntent(state, lease, { since: 1, until: 3 })
      await lease.release()
      t.match(await pruned(state), [{ batches: 1 }])
      t.same(await bordersOf(state), ['2-2'])
    })

    await t.test('keeps an intent of which no line was removed', async t => {
      const state = await fresh()
      await makeKnown(state, 'one')
      await take(state, ['a'])
      await deliverTo(state, 'one', memoryStorage())
      const lease = await acquireLease(elsewhere(state), { target: 'one', partition: SHA }, { waitMs: 0 })
      await putIntent(state, lease, { since: 1, until: 2 })
      await lease.release()
      t.match(await pruned(state), [{ batches: 1 }])
      t.equal((await listIntents(state.storage)).length, 1)
    })
  })

t.test('lines stay until a target that was recorded during the pruning has read them', async t => {
  const storage = memoryStorage()
  const state = await stateOn(storage)
  await makeKnown(state, 'one')
  await take(state, ['a'])
  await deliverTo(state, 'one', memoryStorage())
  let late = false
  // Happens between acquiring the leases and writing the head.
  const meanwhile = watched(storage, async (operation, key) => {
    if (operation !== 'putIfMatch' || !key.endsWith('/head') || late) return
    late = true
    await makeKnown(state, 'late')
    await acquireLease(elsewhere(state), { target: 'late', partition: SHA }, { waitMs: 0 })
  })
  t.match(await pruned({ ...state, storage: meanwhile }), [{ batches: 1 }])
  t.ok(late)
  t.equal((await linesObjects(state)).length, 1)
})

for (const operation of ['putIfMatch', 'delete'] as const)
  t.test(`when any ${operation} fails, the old or the new batches are complete, and the next run finishes`, async t => {
    for (let failing = 1; ; failing++) {
      const storage = memoryStorage()
      const state = await stateOn(storage)
      await makeKnown(state, 'one', 'two')
      await take(state, ['a'])
      await take(state, ['b'])
      await deliverTo(state, 'one', memoryStorage())
      await deliverTo(state, 'two', memoryStorage(), 1)
      let calls = 0
      const failingOnce = watched(storage, name => {
        if (name === operation && ++calls === failing) throw new Error('pulled')
      })
      await pruned({ ...state, storage: failingOnce }).catch(() => undefined)
      if (calls < failing) break
      t.match((await datasetsIn(state)).join(), /^(a,)?b$/, `the ${failing}.`)
      await pruned({ ...state, tools: { ...state.tools, now: () => Date.now() + DAY } })
      t.same(await datasetsIn(state), ['b'])
      await sweepUnnamedLines({ ...state, tools: { ...state.tools, now: () => Date.now() + DAY } }, SHA)
      t.equal((await linesObjects(state)).length, 1)
    }
  })
