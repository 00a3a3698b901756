import t from 'tap'
import { assertHeadReaches, EMPTY_HEAD, readHead, writeHead, type Head } from '../../src/state/head.js'
import { headKey } from '../../src/state/keys.js'
import { appendToOutbox } from '../../src/state/outbox.js'
import { SHA } from '../fixtures/records.js'
import { newLines, ofFile, ORIGIN, testState, type TestState } from './fixtures/state.js'

/** Two batches with the sequence numbers 1 to 2 and 3 to 5. */
async function twoBatches(): Promise<{ state: TestState; head: Head; key: string }> {
  const state = testState()
  await appendToOutbox(state, { additions: [ofFile('a', '1', '2')], origin: ORIGIN })
  await appendToOutbox(state, { additions: [ofFile('b', '3', '4', '5')], origin: ORIGIN })
  return { state, head: (await readHead(state.storage, SHA)).head, key: headKey(SHA) }
}

t.test('a partition without a head is empty and starts at sequence number 1', async t => {
  t.strictSame(await readHead(testState().storage, SHA), { head: EMPTY_HEAD, stored: undefined })
  t.equal(EMPTY_HEAD.next, 1)
})

t.test('a head is read as it was written', async t => {
  const { state, head } = await twoBatches()
  const { stored } = await readHead(state.storage, SHA)
  await writeHead(state.storage, SHA, { head, stored })
  t.strictSame((await readHead(state.storage, SHA)).head, head)
  t.strictSame(
    head.batches.map(({ first, last, records }) => [first, last, records]),
    [
      [1, 2, 2],
      [3, 5, 3],
    ],
  )
})

t.test('a head with a missing or wrong field is reported as damaged', async t => {
  const { state, key } = await twoBatches()
  const whole = (await state.storage.get(key))!.toString()
  const changes: readonly (readonly [string, string])[] = [
    ['"epoch":0,', ''],
    ['"next":6', '"next":"6"'],
    ['"bytes":', '"byte":'],
    ['"digest":"', '"digest":7,"x":"'],
    ['"tree_sha":', '"tree":'],
    ['"records":3', '"records":-3'],
    ['"fingerprint":', '"print":'],
  ]
  for (const [from, to] of changes) {
    t.ok(whole.includes(from), from)
    await state.storage.put(key, Buffer.from(whole.replace(from, to)))
    await t.rejects(
      readHead(state.storage, SHA),
      { code: 'state_corrupt', message: new RegExp(`^${key} in memory:`) },
      from,
    )
  }
  for (const body of ['', whole.slice(0, whole.length / 2)]) {
    await state.storage.put(key, Buffer.from(body))
    await t.rejects(readHead(state.storage, SHA), { code: 'state_corrupt' })
  }
  await state.storage.put(key, Buffer.from(whole.replace('"version":1', '"version":2')))
  await t.rejects(readHead(state.storage, SHA), { code: 'state_version', message: new RegExp(`^${key}.* version 2;`) })
})

t.test('a gap in the sequence numbers is damage, because its lines would never be delivered', async t => {
  const { state, head } = await twoBatches()
  const [one, two] = head.batches
  const gaps: readonly Head[] = [
    { ...head, next: 7 },
    { ...head, next: 5 },
    { ...head, batches: [one!] },
    { ...head, batches: [two!, one!] },
    { ...head, batches: [one!, { ...two!, first: 4 }] },
    { ...head, batches: [one!, { ...two!, records: 2 }] },
  ]
  for (const gap of gaps) {
    const { stored } = await readHead(state.storage, SHA).catch(() => ({ stored: undefined }))
    if (stored === undefined) await state.storage.delete(headKey(SHA))
    await writeHead(state.storage, SHA, { head: gap, stored })
    await t.rejects(readHead(state.storage, SHA), { code: 'state_corrupt', message: /its sequence numbers have a gap/ })
  }
  await state.storage.delete(headKey(SHA))
  await writeHead(state.storage, SHA, { head: { ...head, batches: [two!] }, stored: undefined })
  t.equal(
    (await readHead(state.storage, SHA)).head.batches.length,
    1,
    'what every target has may be gone from the start',
  )
})

t.test('a head that ends before a watermark was lost or replaced by an older copy', async t => {
  const { state, head } = await twoBatches()
  for (const until of [0, 4, 5]) assertHeadReaches(state.storage, head, { partition: SHA, until })
  t.throws(() => assertHeadReaches(state.storage, head, { partition: SHA, until: 6 }), {
    code: 'state_corrupt',
    message: new RegExp(`^outbox/${SHA}/head in memory: is damaged: the head ends at 5, but records up to 6`),
  })
  t.throws(() => assertHeadReaches(state.storage, EMPTY_HEAD, { partition: SHA, until: 1 }), {
    message: /the head is missing, but/,
  })
})

t.test('of two concurrent writers of a head, one gets a conflict', async t => {
  const { state, head } = await twoBatches()
  const read = await readHead(state.storage, SHA)
  await appendToOutbox(state, { additions: [newLines(['6'])], origin: ORIGIN })
  await t.rejects(writeHead(state.storage, SHA, { head, stored: read.stored }), { code: 'state_conflict' })
})
