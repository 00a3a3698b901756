import t from 'tap'
import { watermarkKey } from '../../src/state/keys.js'
import { highestWatermark, readWatermark, rewind, writeWatermark, type Watermark } from '../../src/state/watermark.js'
import { openLocalStorage } from '../../src/storage/local/local.js'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { SHA } from '../fixtures/records.js'
import { filesBelow, TARGET_PARTITION, owner, testState } from './fixtures/state.js'

const at = (until: number, more: Partial<Watermark> = {}): Watermark => ({
  id: '',
  until,
  fencingToken: 1,
  lease: undefined,
  at: '',
  ...more,
})
const fresh = { stored: undefined, isDamaged: false }
const key = watermarkKey(TARGET_PARTITION.partition, TARGET_PARTITION.target)

t.test('the watermark of an unknown target is 0', async t => {
  const { watermark, stored, isDamaged } = await readWatermark(testState().storage, TARGET_PARTITION)
  t.strictSame(
    { until: watermark.until, fencingToken: watermark.fencingToken, stored, isDamaged },
    { until: 0, fencingToken: 0, ...fresh },
  )
})

t.test('a watermark is read as it was written, with its lease', async t => {
  const { storage } = testState()
  const watermark = at(7, {
    lease: { owner: owner(), expiresAt: 12, durationMs: 30 },
    at: '2026-01-01T00:00:00.000Z',
    pruned: { records: 2, until: 5 },
  })
  const { stored } = await writeWatermark(storage, TARGET_PARTITION, { watermark, ...fresh })
  t.strictSame(await readWatermark(storage, TARGET_PARTITION), { watermark, stored, isDamaged: false })
  const document: unknown = JSON.parse((await storage.get(key))!.toString())
  const { fencingToken, ...rest } = watermark
  const expected = { version: 1, ...TARGET_PARTITION, ...rest, fence: fencingToken }
  t.strictSame(document, expected, 'the stored field is called fence')
})

t.test('watermarks are separate per target and commit', async t => {
  const { storage } = testState()
  await writeWatermark(storage, TARGET_PARTITION, { watermark: at(7), ...fresh })
  t.equal((await readWatermark(storage, { ...TARGET_PARTITION, target: 'http://there:81' })).watermark.until, 0)
  t.equal((await readWatermark(storage, { ...TARGET_PARTITION, partition: 'f'.repeat(40) })).watermark.until, 0)
})

t.test('a stale watermark cannot replace a newer one', async t => {
  const { storage } = testState()
  const { stored } = await writeWatermark(storage, TARGET_PARTITION, { watermark: at(7), ...fresh })
  await writeWatermark(storage, TARGET_PARTITION, { watermark: at(9), stored, isDamaged: false })
  for (const old of [stored, undefined])
    await t.rejects(writeWatermark(storage, TARGET_PARTITION, { watermark: at(8), stored: old, isDamaged: false }), {
      code: 'state_conflict',
    })
  t.equal((await readWatermark(storage, TARGET_PARTITION)).watermark.until, 9)
})

t.test('a watermark that cannot be read counts as 0 and is reported as damaged', async t => {
  const { storage } = testState()
  await writeWatermark(storage, TARGET_PARTITION, { watermark: at(7), ...fresh })
  const whole = (await storage.get(key))!.toString()
  const bodies = [
    '',
    '{',
    whole.slice(0, -5),
    whole.replace('"until":7', '"until":-7'),
    whole.replace('"fence"', '"f"'),
  ]
  for (const body of bodies) {
    await storage.put(key, Buffer.from(body))
    const { watermark, isDamaged } = await readWatermark(storage, TARGET_PARTITION)
    t.strictSame([watermark.until, isDamaged], [0, true], body)
  }
})

t.test('a watermark whose file is truncated can be replaced', async t => {
  const folder = t.testdir()
  const storage = await openLocalStorage(folder)
  await writeWatermark(storage, TARGET_PARTITION, { watermark: at(7), ...fresh })
  for (const file of filesBelow(join(folder, 'watermarks'))) truncateSync(file, 9)
  const torn = await readWatermark(storage, TARGET_PARTITION)
  t.match(torn, { watermark: { until: 0 }, stored: undefined, isDamaged: true })
  await writeWatermark(storage, TARGET_PARTITION, { ...torn, watermark: at(3) })
  t.match(await readWatermark(storage, TARGET_PARTITION), { watermark: { until: 3 }, isDamaged: false })
})

t.test('a watermark of a newer version is refused, named and not changed', async t => {
  const state = testState()
  const body = Buffer.from('{"version":2,"until":"everything"}')
  await state.storage.put(key, body)
  const refused = { code: 'state_version', message: new RegExp(`^${key} in memory: has version 2`) }
  await t.rejects(readWatermark(state.storage, TARGET_PARTITION), refused)
  await t.rejects(rewind(state, TARGET_PARTITION, 0), refused)
  await t.rejects(highestWatermark(state.storage, SHA), refused)
  t.strictSame(await state.storage.get(key), body)
})

t.test('rewinding only moves back and invalidates the lease', async t => {
  const state = testState()
  const lease = { owner: owner(), expiresAt: 12 }
  const { stored } = await writeWatermark(state.storage, TARGET_PARTITION, { watermark: at(7, { lease }), ...fresh })
  await rewind(state, TARGET_PARTITION, 9)
  t.equal((await readWatermark(state.storage, TARGET_PARTITION)).stored, stored)
  await rewind(state, TARGET_PARTITION, 2)
  t.match(await readWatermark(state.storage, TARGET_PARTITION), { watermark: { until: 2, fencingToken: 2, lease } })
  t.not((await readWatermark(state.storage, TARGET_PARTITION)).stored, stored)
})

t.test('the highest watermark of a commit is that of the most advanced target', async t => {
  const { storage } = testState()
  for (const [target, until] of [
    ['a', 3],
    ['b', 8],
    ['c', 5],
  ] as const)
    await writeWatermark(storage, { ...TARGET_PARTITION, target }, { watermark: at(until), ...fresh })
  await writeWatermark(storage, { target: 'a', partition: 'f'.repeat(40) }, { watermark: at(99), ...fresh })
  t.equal(await highestWatermark(storage, SHA), 8)
})
