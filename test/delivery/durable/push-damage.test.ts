/** Tests pushes with a damaged state: damage is reported by name or the records are delivered again. Nothing is skipped. */

import { appendFileSync } from 'node:fs'
import t from 'tap'
import { listIntents } from '../../../src/state/intent.js'
import { headKey, watermarkKey } from '../../../src/state/keys.js'
import { readWatermark } from '../../../src/state/watermark.js'
import { SHA } from '../../fixtures/records.js'
import { TARGET_PARTITION, keysOf, testState } from '../../state/fixtures/state.js'
import { codeOf, datasets, down, drained, lineOf, push, target, write } from './fixtures/durable.js'

const until = async (state: ReturnType<typeof testState>, name = TARGET_PARTITION.target): Promise<number> =>
  (await readWatermark(state.storage, { target: name, partition: SHA })).watermark.until

t.test('an intent that cannot be read stops the push before anything is sent or taken', async t => {
  const [state, there] = [testState(), target()]
  for (const [body, code] of [
    ['{', 'state_corrupt'],
    ['{"version":2}', 'state_version'],
  ] as const) {
    await state.storage.put('intents/x', Buffer.from(body))
    await t.rejects(push(state, [write(t.testdir(), 'f', 'a')], [there]), { code, message: /^intents\/x in memory:/ })
  }
  t.strictSame(await keysOf(state, 'outbox/'), [])
  t.equal(there.opened.count, 0)
})

t.test('a watermark that cannot be read is delivered from the start, and that is said', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a')
  await push(state, [path], [there])
  await state.storage.put(watermarkKey(SHA, TARGET_PARTITION.target), Buffer.from('{'))
  const [outcome] = (await push(state, [path], [there])).targets
  t.match(outcome, { error: undefined, outbox: { warnings: [/watermark of http:\/\/there could not be read/] } })
  t.strictSame(there.given.map(datasets), [['a'], ['a']])
  t.equal(await until(state), 1)
})

t.test('lines that were damaged are refused by name, and nothing after them goes out', async t => {
  const state = testState()
  const path = write(t.testdir(), 'f', 'a')
  await push(state, [path], [target('http://there', { before: down })])
  const [key = ''] = await keysOf(state, `outbox/${SHA}/lines/`)
  await state.storage.put(key, (await state.storage.get(key))!.subarray(0, -2))
  appendFileSync(path, `${lineOf('b')}\n`)
  const there = target()
  const [outcome] = (await push(state, [path], [there])).targets
  t.match(outcome?.error, { code: 'state_corrupt', message: new RegExp(`^${key} in `) })
  t.strictSame(there.given, [])
  t.equal(await until(state), 0)
})

t.test('after the head was lost, a push delivers its records again and reports the other lines', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a', 'b')
  await push(state, [path], [there])
  await state.storage.delete(headKey(SHA))
  t.match((await drained(state, [there])).targets.map(codeOf), ['state_corrupt'])
  const pushed = await push(state, [path], [there])
  t.match(pushed, {
    sources: [{ change: 'new' }],
    warnings: [/outbox of this commit was gone/],
    targets: [{ error: undefined }],
  })
  t.match(
    there.given.map(({ range }) => range),
    [
      { since: 0, until: 2 },
      { since: 2, until: 4 },
    ],
  )
  t.match((await push(state, [path], [there])).warnings, [])
})

t.test('a lost head with a delivery begun is refused, not taken for done', async t => {
  const state = testState()
  const path = write(t.testdir(), 'f', 'a', 'b')
  await push(state, [path], [target('http://there', { before: down })])
  await state.storage.delete(headKey(SHA))
  const { targets } = await drained(state, [target()])
  t.match(targets[0]?.error, { code: 'state_corrupt', message: new RegExp(`^${headKey(SHA)} `) })
  t.equal((await listIntents(state.storage)).length, 1)
})
