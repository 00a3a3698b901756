import t from 'tap'
import { watermarkKey } from '../../src/state/keys.js'
import { highestWatermark, readWatermark, rewind, writeWatermark, type Watermark } from '../../src/state/watermark.js'
import { openLocalStorage } from '../../src/storage/local/local.js'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { SHA } from '../fixtures/delivery.js'
import { filesBelow } from './fixtures/files.js'
import { COURSE, owner, testState } from './fixtures/state.js'

const at = (until: number, more: Partial<Watermark> = {}): Watermark => ({
  until,
  fence: 1,
  lease: undefined,
  at: '',
  ...more,
})
const fresh = { stored: undefined, isDamaged: false }
const key = watermarkKey(COURSE.partition, COURSE.target)

t.test('a target of which nothing is known holds nothing', async t => {
  const { watermark, stored, isDamaged } = await readWatermark(testState().storage, COURSE)
  t.strictSame({ until: watermark.until, fence: watermark.fence, stored, isDamaged }, { until: 0, fence: 0, ...fresh })
})

t.test('it is read as it was written, with its lease', async t => {
  const { storage } = testState()
  const watermark = at(7, { lease: { owner: owner(), expiresAt: 12 }, at: '2026-01-01T00:00:00.000Z' })
  const { stored } = await writeWatermark(storage, COURSE, { watermark, ...fresh })
  t.strictSame(await readWatermark(storage, COURSE), { watermark, stored, isDamaged: false })
})

t.test('it is kept by target and commit, not by object', async t => {
  const { storage } = testState()
  await writeWatermark(storage, COURSE, { watermark: at(7), ...fresh })
  t.equal((await readWatermark(storage, { ...COURSE, target: 'http://there:81' })).watermark.until, 0)
  t.equal((await readWatermark(storage, { ...COURSE, partition: 'f'.repeat(40) })).watermark.until, 0)
})

t.test('who read an older one cannot write over a newer one', async t => {
  const { storage } = testState()
  const { stored } = await writeWatermark(storage, COURSE, { watermark: at(7), ...fresh })
  await writeWatermark(storage, COURSE, { watermark: at(9), stored, isDamaged: false })
  for (const old of [stored, undefined])
    await t.rejects(writeWatermark(storage, COURSE, { watermark: at(8), stored: old, isDamaged: false }), {
      code: 'state_conflict',
    })
  t.equal((await readWatermark(storage, COURSE)).watermark.until, 9)
})

t.test('one that cannot be read says nothing is held, and that it is damaged', async t => {
  const { storage } = testState()
  await writeWatermark(storage, COURSE, { watermark: at(7), ...fresh })
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
    const { watermark, isDamaged } = await readWatermark(storage, COURSE)
    t.strictSame([watermark.until, isDamaged], [0, true], body)
  }
})

t.test('one that the folder itself finds torn can be replaced all the same', async t => {
  const folder = t.testdir()
  const storage = await openLocalStorage(folder)
  await writeWatermark(storage, COURSE, { watermark: at(7), ...fresh })
  for (const file of filesBelow(join(folder, 'watermarks'))) truncateSync(file, 9)
  const torn = await readWatermark(storage, COURSE)
  t.match(torn, { watermark: { until: 0 }, stored: undefined, isDamaged: true })
  await writeWatermark(storage, COURSE, { ...torn, watermark: at(3) })
  t.match(await readWatermark(storage, COURSE), { watermark: { until: 3 }, isDamaged: false })
})

t.test('one of a newer version is refused by name and left alone', async t => {
  const state = testState()
  const body = Buffer.from('{"version":2,"until":"everything"}')
  await state.storage.put(key, body)
  const refused = { code: 'state_version', message: new RegExp(`^${key} in memory: has version 2`) }
  await t.rejects(readWatermark(state.storage, COURSE), refused)
  await t.rejects(rewind(state, COURSE, 0), refused)
  await t.rejects(highestWatermark(state.storage, SHA), refused)
  t.strictSame(await state.storage.get(key), body)
})

t.test('rewinding goes back, never forth, and makes whoever holds the lease notice', async t => {
  const state = testState()
  const lease = { owner: owner(), expiresAt: 12 }
  const { stored } = await writeWatermark(state.storage, COURSE, { watermark: at(7, { lease }), ...fresh })
  await rewind(state, COURSE, 9)
  t.equal((await readWatermark(state.storage, COURSE)).stored, stored)
  await rewind(state, COURSE, 2)
  t.match(await readWatermark(state.storage, COURSE), { watermark: { until: 2, fence: 2, lease } })
  t.not((await readWatermark(state.storage, COURSE)).stored, stored)
})

t.test('the highest of a commit is that of the target that has most', async t => {
  const { storage } = testState()
  for (const [target, until] of [
    ['a', 3],
    ['b', 8],
    ['c', 5],
  ] as const)
    await writeWatermark(storage, { ...COURSE, target }, { watermark: at(until), ...fresh })
  await writeWatermark(storage, { target: 'a', partition: 'f'.repeat(40) }, { watermark: at(99), ...fresh })
  t.equal(await highestWatermark(storage, SHA), 8)
})
