import t, { type Test } from 'tap'
import { compactOutbox, type CompactedOrSkipped } from '../../src/state/compact.js'
import { putIntent } from '../../src/state/intent.js'
import { acquireLease } from '../../src/state/lease.js'
import { OBJECT_BYTES } from '../../src/state/lines.js'
import { sweepUnnamedLines } from '../../src/state/outbox.js'
import type { State } from '../../src/state/state.js'
import { memoryStorage } from '../../src/storage/memory.js'
import { VersionConflict, type Storage } from '../../src/storage/storage.js'
import { COMMIT, RUN, SHA } from '../fixtures/records.js'
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

const compacted = (state: State, dryRun = false): Promise<readonly CompactedOrSkipped[]> =>
  all(compactOutbox(state, { dryRun }))

for (const [name, open] of STORAGES)
  t.test(`compaction of a state in ${name}`, async t => {
    const fresh = async (...targets: readonly string[]): Promise<State> => {
      const state = await stateOn(await open(t.testdir({})))
      await makeKnown(state, ...targets)
      return state
    }

    await t.test('merges adjacent batches into one object and keeps all lines in order', async t => {
      const state = await fresh('one')
      for (const dataset of ['a', 'b', 'c']) await take(state, [dataset, `${dataset}2`])
      const before = await headOf(state)
      t.match(await compacted(state), [{ batchesBefore: 3, batchesAfter: 1, objectsBefore: 3, objectsAfter: 1 }])
      t.same(await bordersOf(state), ['1-6'])
      t.same(await datasetsIn(state), ['a', 'a2', 'b', 'b2', 'c', 'c2'])
      t.equal((await linesObjects(state)).length, 1)
      t.match(await headOf(state), { next: 7, positions: before.positions })
      t.match((await headOf(state)).batches, [
        { records: 6, counts: new Map([['compression_size', 6]]), source: 'a.jsonl', at: before.batches[2]?.at },
      ])
      t.same(await compacted(state), [], 'there is nothing more to do')
      const one = memoryStorage()
      t.equal(await deliverTo(state, 'one', one), undefined)
      t.same(await keysOf(one), [`compression_sizes/${SHA}/0000000000000000-0000000000000006.jsonl.gz`])
    })

    await t.test('does not merge across a watermark', async t => {
      const state = await fresh('one', 'two')
      for (const dataset of ['a', 'b', 'c', 'd']) await take(state, [dataset])
      const one = memoryStorage()
      await deliverTo(state, 'one', one, 2)
      await compacted(state)
      t.same(await bordersOf(state), ['1-2', '3-4'])
      t.equal(await deliverTo(state, 'one', one), undefined)
      t.same(await keysOf(one), [
        `compression_sizes/${SHA}/0000000000000000-0000000000000001.jsonl.gz`,
        `compression_sizes/${SHA}/0000000000000001-0000000000000002.jsonl.gz`,
        `compression_sizes/${SHA}/0000000000000002-0000000000000004.jsonl.gz`,
      ])
    })

    await t.test('does not merge across the ends of an intent, whose delivery is repeated unchanged', async t => {
      const state = await fresh('one')
      for (const dataset of ['a', 'b', 'c', 'd']) await take(state, [dataset])
      const lease = await acquireLease(elsewhere(state), { target: 'one', partition: SHA }, { waitMs: 0 })
      await putIntent(state, lease, { since: 0, until: 3 })
      await lease.release()
      await compacted(state)
      t.same(await bordersOf(state), ['1-3', '4-4'])
      const one = memoryStorage()
      t.equal(await deliverTo(state, 'one', one), undefined)
      t.equal((await keysOf(one))[0], `compression_sizes/${SHA}/0000000000000000-0000000000000003.jsonl.gz`)
    })

    await t.test('does not merge batches of different commit metadata or without records', async t => {
      const state = await fresh('one')
      await take(state, ['a'])
      await take(state, ['b'], { run: { ...RUN, benchmark_id: 'other' } })
      await take(state, ['c'], { commit: { ...COMMIT, message: 'amended' } })
      await take(state, [], { commit: { ...COMMIT, message: 'amended' } })
      await take(state, ['d'], { commit: { ...COMMIT, message: 'amended' } })
      t.same(await compacted(state), [])
      t.same(await bordersOf(state), ['1-1', '2-2', '3-3', '4-4', '5-5'])
    })

    await t.test('skips a commit that another process is delivering', async t => {
      const state = await fresh('one')
      for (const dataset of ['a', 'b']) await take(state, [dataset])
      const lease = await acquireLease(elsewhere(state), { target: 'one', partition: SHA }, { waitMs: 0 })
      t.match(await compacted(state), [{ partition: SHA, skipped: /another process/ }])
      await lease.release()
      t.same(await bordersOf(state), ['1-1', '2-2'])
    })

    await t.test('a dry run changes nothing', async t => {
      const state = await fresh('one')
      for (const dataset of ['a', 'b']) await take(state, [dataset])
      const before = await keysOf(state.storage)
      t.match(await compacted(state, true), [{ batchesBefore: 2, batchesAfter: 1, objectsBefore: 2, objectsAfter: 1 }])
      t.same(await keysOf(state.storage), before)
    })
  })

t.test('large batches are not copied, and a merged batch does not exceed the object size', async t => {
  const state = await stateOn(memoryStorage())
  await makeKnown(state, 'one')
  const third = [`x${'y'.repeat(OBJECT_BYTES / 3)}`]
  const large = [`z${'y'.repeat(OBJECT_BYTES / 2)}`]
  await take(state, third)
  await take(state, [...third, 'b'])
  await take(state, [...third, 'c'])
  await take(state, [...large, 'd'])
  await take(state, ['e'])
  await compacted(state)
  t.same(await bordersOf(state), ['1-3', '4-5', '6-7', '8-8'])
})

t.test('lines that are enqueued during a compaction keep their place', async t => {
  const storage = memoryStorage()
  const state = await stateOn(storage)
  await makeKnown(state, 'one')
  for (const dataset of ['a', 'b']) await take(state, [dataset])
  let wasTaken = false
  const meanwhile = watched(storage, async (operation, key) => {
    if (operation !== 'putIfMatch' || !key.endsWith('/head') || wasTaken) return
    wasTaken = true
    await take(state, ['late'])
  })
  await compacted({ ...state, storage: meanwhile })
  t.same(await bordersOf(state), ['1-2', '3-3'])
  t.same(await datasetsIn(state), ['a', 'b', 'late'])
})

t.test('copies that were swept during a compaction are made again', async t => {
  const storage = memoryStorage()
  const state = await stateOn(storage)
  await makeKnown(state, 'one')
  for (const dataset of ['a', 'b']) await take(state, [dataset])
  const tomorrow = { ...state, tools: { ...state.tools, now: () => Date.now() + 86_400_000 } }
  let swept = 0
  const meanwhile = watched(storage, async (operation, key) => {
    if (operation !== 'putIfMatch' || !key.endsWith('/head') || swept > 0) return
    swept = await sweepUnnamedLines(tomorrow, SHA)
  })
  await compacted({ ...state, storage: meanwhile })
  t.equal(swept, 1)
  t.same(await datasetsIn(state), ['a', 'b'])
  t.same(await bordersOf(state), ['1-2'])
})

for (const operation of ['put', 'putIfMatch', 'delete'] as const)
  t.test(`when any ${operation} fails, no line is lost and the next run finishes`, async t => {
    for (let failing = 1; ; failing++) {
      const storage = memoryStorage()
      const state = await stateOn(storage)
      await makeKnown(state, 'one')
      for (const dataset of ['a', 'b', 'c']) await take(state, [dataset])
      let calls = 0
      const failingOnce = watched(storage, name => {
        if (name === operation && ++calls === failing) throw new Error('pulled')
      })
      await compacted({ ...state, storage: failingOnce }).catch(() => undefined)
      if (calls < failing) break
      t.same(await datasetsIn(state), ['a', 'b', 'c'], `the ${failing}.`)
      await finish(t, state)
    }
  })

t.test('a head write that took effect but was reported as a conflict loses no line', async t => {
  const storage = memoryStorage()
  const state = await stateOn(storage)
  await makeKnown(state, 'one')
  for (const dataset of ['a', 'b', 'c']) await take(state, [dataset])
  let isLost = false
  const answerLost = watched(storage, async (operation, key, args) => {
    if (operation !== 'putIfMatch' || !key.endsWith('/head') || isLost) return
    isLost = true
    await storage.putIfMatch(...(args as Parameters<Storage['putIfMatch']>))
    throw new VersionConflict(key)
  })
  await compacted({ ...state, storage: answerLost })
  t.ok(isLost)
  t.same(await datasetsIn(state), ['a', 'b', 'c'])
  await finish(t, state)
})

async function finish(t: Test, state: State): Promise<void> {
  const tomorrow = { ...state, tools: { ...state.tools, now: () => Date.now() + 86_400_000 } }
  await compacted(tomorrow)
  t.same(await bordersOf(state), ['1-3'])
  await sweepUnnamedLines(tomorrow, SHA)
  t.equal((await linesObjects(state)).length, 1)
  t.same(await datasetsIn(state), ['a', 'b', 'c'])
}
