import t from 'tap'
import { setImmediate } from 'node:timers/promises'
import { acquireLease, isOwnerGone, type HeldLease } from '../../src/state/lease.js'
import { watermarkKey } from '../../src/state/keys.js'
import { thisProcess } from '../../src/state/state.js'
import { readWatermark, rewind } from '../../src/state/watermark.js'
import { memoryStorage } from '../../src/storage/memory.js'
import { IngestError } from '../../src/errors.js'
import { TARGET_PARTITION, interfering, LEASE_MS, owner, seenBy, testState, type TestState } from './fixtures/state.js'
import { waitUntil } from '../fixtures/wait-until.js'

const held = (state: TestState, waitMs = 0): Promise<HeldLease> => acquireLease(state, TARGET_PARTITION, { waitMs })
const stored = async (state: TestState): Promise<object> =>
  (await readWatermark(state.storage, TARGET_PARTITION)).watermark

t.test('the first process acquires the lease, moves the watermark and releases both in one write', async t => {
  const state = testState()
  const lease = await held(state)
  t.match(await stored(state), {
    until: 0,
    fencingToken: 1,
    lease: { owner: owner(), expiresAt: state.clock.now + LEASE_MS },
  })
  t.equal(await lease.move(5), true)
  t.match(await stored(state), { until: 5, fencingToken: 1, at: '2026-04-25T00:00:00.000Z', lease: { owner: owner() } })
  t.equal(await lease.release(8), true)
  t.match(await stored(state), { until: 8, fencingToken: 1, lease: undefined })
  t.equal(await lease.release(), true, 'once more does nothing')
  t.match(await stored(state), { until: 8 })
})

t.test('a second process waits for the first and continues from its watermark', async t => {
  let waits = 0
  const state = testState({ tools: { sleep: () => (waits++, setImmediate()) } })
  const first = await held(state)
  const second = held(seenBy(state, owner('second')), 120_000)
  await waitUntil(() => waits > 1)
  await first.release(5)
  const lease = await second
  t.equal(lease.until, 5)
  t.equal(lease.fencingToken, 2)
  t.equal(lease.tookOver, false)
  await lease.release()
})

t.test('acquiring waits at most waitMs and names the process that holds the lease', async t => {
  const state = testState()
  // The owner keeps renewing its lease.
  const busy = await acquireLease({ ...state, tools: { ...state.tools, leaseMs: 3_600_000 } }, TARGET_PARTITION, {
    waitMs: 0,
  })
  const started = state.clock.now
  await t.rejects(held(seenBy(state, owner('second')), 5_000), {
    code: 'queued',
    message: 'another process (1) is delivering to this target',
    hint: /run this command again/,
  })
  t.ok(Math.abs(state.clock.now - started - 5_000) < 100, 'five seconds')
  await busy.release()
})

t.test('changes of the system clock do not affect the waiting time', async t => {
  for (const jump of [-86_400_000, 3_000]) {
    const state = testState()
    const busy = await acquireLease({ ...state, tools: { ...state.tools, leaseMs: 3_600_000 } }, TARGET_PARTITION, {
      waitMs: 0,
    })
    let slept = 0
    const sleep = async (delayMs: number): Promise<void> => {
      slept += delayMs
      state.clock.now += jump
      await busy.move(0)
    }
    const waiting = { ...seenBy(state, owner('second')), tools: { ...state.tools, sleep } }
    await t.rejects(acquireLease(waiting, TARGET_PARTITION, { waitMs: 2_000 }), { code: 'queued' })
    t.ok(Math.abs(slept - 2_000) < 1, `${slept} ms`)
    await busy.release()
  }
})

const HOUR_MS = 3_600_000

/** The same state on a machine whose clock is an hour ahead. */
function anHourAhead(state: TestState): TestState {
  return { ...state, tools: { ...state.tools, now: () => state.clock.now + HOUR_MS } }
}

t.test('a lease of a clock that is an hour ahead is taken over after its duration, however short the wait', async t => {
  for (const waitMs of [0, 5_000, 120_000]) {
    const state = testState()
    const gone = await held(anHourAhead(state))
    const started = state.clock.now
    const next = await held(seenBy(state, owner('next')), waitMs)
    t.ok(state.clock.now - started >= LEASE_MS, 'not before the owner would have renewed it')
    t.ok(state.clock.now - started < LEASE_MS + 2_000, `after ${state.clock.now - started} ms`)
    t.equal(await gone.move(9), false)
    await next.release()
  }
})

t.test('an owner whose clock is an hour ahead keeps the lease while it renews it', async t => {
  const state = testState()
  const busy = await held(anHourAhead(state))
  const sleep = async (delayMs: number): Promise<void> => {
    await state.tools.sleep(delayMs)
    await busy.move(0)
  }
  const started = state.clock.now
  const waiting = { ...seenBy(state, owner('next')), tools: { ...state.tools, sleep } }
  await t.rejects(acquireLease(waiting, TARGET_PARTITION, { waitMs: 60_000 }), { code: 'queued' })
  t.ok(Math.abs(state.clock.now - started - 60_000) < 100)
  await busy.release()
})

t.test('an owner whose clock was set back does not count on its lease for longer than its duration', async t => {
  const state = testState()
  let isAway = false
  const storage = interfering(state.storage, async () => {
    if (isAway) throw new IngestError('storage_failed', 'away')
  })
  const short = { ...state, storage, tools: { ...state.tools, leaseMs: 200 } }
  const lease = await held(short)
  isAway = true
  state.clock.now -= HOUR_MS
  await waitUntil(async () => !(await lease.isHeld()))
  await t.rejects(lease.assertHeld(), { code: 'queued' })
})

t.test('a lease of an earlier version, without its duration, is read and expires by the clock', async t => {
  const state = testState()
  const former = { owner: owner(), expiresAt: state.clock.now + 10_000 }
  await state.storage.put(
    watermarkKey(TARGET_PARTITION.partition, TARGET_PARTITION.target),
    Buffer.from(JSON.stringify({ version: 1, ...TARGET_PARTITION, until: 3, fence: 2, lease: former, at: '' })),
  )
  await t.rejects(held(seenBy(state, owner('next')), 5_000), { code: 'queued' })
  const next = await held(seenBy(state, owner('next')), 10_000)
  t.match(next, { until: 3, fencingToken: 3, tookOver: true })
  await next.release()
})

t.test('an expired lease is taken over, and its old owner can write nothing', async t => {
  const state = testState()
  const paused = await held(state)
  state.clock.now += LEASE_MS
  const next = await held(seenBy(state, owner('next')))
  t.equal(next.tookOver, true)
  t.equal(next.fencingToken, 2)
  t.equal(await paused.isHeld(), false)
  t.equal(await paused.move(99), false)
  t.equal(await paused.release(99), false)
  t.match(await stored(state), { until: 0, fencingToken: 2, lease: { owner: owner('next') } })
  t.equal(await next.release(3), true)
  t.equal(await paused.move(99), false, 'not even when nobody holds it')
  t.match(await stored(state), { until: 3 })
})

t.test('the lease of a process that was killed on this machine is taken over at once', async t => {
  const state = testState({ owner: { ...(await thisProcess()), pid: 2 ** 22 + 1 } })
  await held(state)
  const next = await held(seenBy(state, await thisProcess()))
  t.equal(next.tookOver, true)
  await next.release()
})

t.test('a lease is renewed while its owner works, so that no other process takes it over', async t => {
  // Renewed every 10 ms.
  const leaseMs = 30
  const state = testState({ tools: { leaseMs } })
  const renewed = async (targetPartition: typeof TARGET_PARTITION): Promise<void> => {
    state.clock.now += 20
    await waitUntil(async () => {
      const { lease } = (await readWatermark(state.storage, targetPartition)).watermark
      return lease?.expiresAt === state.clock.now + leaseMs
    })
  }
  const lease = await held(state)
  for (let renewals = 0; renewals < 3; renewals++) await renewed(TARGET_PARTITION)
  await lease.release()

  const { stored: version } = await readWatermark(state.storage, TARGET_PARTITION)
  const other = { ...TARGET_PARTITION, target: 'http://elsewhere' }
  const next = await acquireLease(state, other, { waitMs: 0 })
  for (let renewals = 0; renewals < 3; renewals++) await renewed(other)
  await next.release()
  t.equal((await readWatermark(state.storage, TARGET_PARTITION)).stored, version, 'a released lease is not renewed')
})

t.test('a short outage of the storage does not lose the lease', async t => {
  const inner = memoryStorage()
  let fails = 0
  const storage = interfering(inner, async () => {
    if (fails-- > 0) throw new IngestError('storage_failed', 'away')
  })
  const state = testState({ storage })
  const lease = await held(state)
  state.clock.now += LEASE_MS * 0.6
  fails = 1
  t.equal(await lease.isHeld(), true, 'the renewal failed, the lease did not')
  fails = 1
  await t.rejects(lease.move(1), { code: 'storage_failed' })
  t.equal(await lease.move(1), true)
  await lease.release()
})

t.test('rewinding a watermark invalidates its lease', async t => {
  const state = testState()
  const lease = await held(state)
  await lease.move(5)
  await rewind(state, TARGET_PARTITION, 0)
  t.equal(await lease.move(7), false)
  t.match(await stored(state), { until: 0 })
})

t.test('the lease of a damaged watermark can be acquired and reports the damage', async t => {
  const state = testState()
  await state.storage.put(watermarkKey(TARGET_PARTITION.partition, TARGET_PARTITION.target), Buffer.from('{'))
  const lease = await held(state)
  t.equal(lease.wasDamaged, true)
  t.equal(lease.until, 0)
  await lease.release(4)
  t.equal((await held(state)).wasDamaged, false)
})

t.test('processes that acquire at the same time hold the lease one after the other', async t => {
  const state = testState({ tools: { random: Math.random, now: Date.now, sleep: () => setImmediate() } })
  let inside = 0
  let moved = 0
  await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const lease = await held(seenBy(state, owner(`host-${index}`)), Infinity)
      if (++inside > 1) t.fail('two at once')
      if (lease.until !== moved) t.fail('it did not see the one before it')
      await setImmediate()
      inside--
      await lease.release(++moved)
    }),
  )
  t.match(await stored(state), { until: 12, fencingToken: 12 })
})

t.test('isOwnerGone is true for an expired owner and for one that is known to have ended', async t => {
  const state = testState()
  t.equal(await isOwnerGone(state, owner(), state.clock.now + 1), false)
  t.equal(await isOwnerGone(state, owner(), state.clock.now), true)
  t.equal(await isOwnerGone(state, { ...(await thisProcess()), pid: 2 ** 22 + 1 }, state.clock.now + 1), true)
})
