import t from 'tap'
import { IngestError } from '../../src/errors.js'
import { readHealth, noteSuccess } from '../../src/state/health.js'
import { compactJournal, MAX_AGE_MS, MAX_EVENTS, Journal, readJournal } from '../../src/state/journal.js'
import { journalKeys } from '../../src/state/journal-event.js'
import type { State } from '../../src/state/state.js'
import { redact } from '../../src/redact.js'
import { memoryStorage } from '../../src/storage/memory.js'
import type { Storage } from '../../src/storage/storage.js'
import { addTarget } from '../../src/state/targets.js'
import { stateOn } from './fixtures/filled.js'

const MINUTE = 60_000
const down = new IngestError('target_unreachable', 'no way to https://token@example.com')

const journalOf = (state: State): Journal => new Journal(state, { run: 'nightly', redact })

const NOTHING_MORE = { secretEnv: undefined, bucket: undefined, rolePolicy: undefined, region: undefined } as const
const SITE = {
  name: 'site',
  kind: 'server',
  address: 'https://example.com',
  identity: 'https://example.com',
  isRequired: true,
  insecureLocal: false,
  ...NOTHING_MORE,
} as const

/** Records one failure and flushes it. */
async function fail(state: State, name: string, subject: 'target' | 'bucket' = 'target'): Promise<void> {
  const journal = journalOf(state)
  journal.record({ subject, name, operation: 'deliver', error: down })
  await journal.flush()
}

/** Reads events. @throws when an object is damaged */
const read = (storage: Storage, query: { name?: string; since?: number; limit?: number } = {}) =>
  readJournal(storage, {
    ...query,
    onDamage: message => {
      throw new Error(message)
    },
  })

t.test('attempts that are recorded together keep their own times and order', async t => {
  const state = await stateOn(memoryStorage(), () => 10_000)
  const journal = journalOf(state)
  for (const at of [1_000, 3_000, undefined])
    journal.record({ subject: 'target', name: 'site', operation: 'deliver', error: down, at })
  await journal.flush()
  const times = (await read(state.storage)).map(({ time }) => Date.parse(time))
  t.same([...times].sort(), [1_000, 10_000, 3_000].sort())
  t.same(
    times,
    [...times].sort((one, other) => other - one),
    'newest first',
  )
})

t.test('an event holds time, operation, redacted message, attempt and run', async t => {
  const state = await stateOn(memoryStorage(), () => Date.UTC(2026, 1, 3))
  const journal = journalOf(state)
  journal.record({ subject: 'target', name: 'site', operation: 'deliver', error: down, attempt: 2 })
  t.same(await read(state.storage), [], 'not before it is flushed')
  t.equal(await journal.flush(), 1)
  t.equal(await journal.flush(), 0)
  t.match(await read(state.storage), [
    {
      ...{ time: '2026-02-03T00:00:00.000Z', subject: 'target', name: 'site', operation: 'deliver', attempt: 2 },
      ...{ code: 'target_unreachable', message: 'no way to https://***@example.com', run: 'nightly' },
    },
  ])
})

t.test('events are listed newest first and can be limited by name, time and number', async t => {
  let now = Date.UTC(2026, 1, 3)
  const state = await stateOn(memoryStorage(), () => now)
  for (const name of ['a', 'b', 'a', 'b']) {
    await fail(state, name)
    now += MINUTE
  }
  const all = await read(state.storage)
  t.same(
    all.map(({ name }) => name),
    ['b', 'a', 'b', 'a'],
  )
  t.equal((await read(state.storage, { name: 'a' })).length, 2)
  t.equal((await read(state.storage, { since: now - 2 * MINUTE })).length, 2)
  t.same(await read(state.storage, { limit: 1 }), all.slice(0, 1))
})

t.test('events that could not be stored are stored with the next flush', async t => {
  const storage = memoryStorage()
  let isFull = true
  const put = async (key: string, body: Buffer): Promise<string> => {
    if (isFull) throw new IngestError('storage_failed', 'full')
    return storage.put(key, body)
  }
  const filling = Object.assign(Object.create(storage) as Storage, { put })
  const state = await stateOn(filling)
  const journal = journalOf(state)
  journal.record({ subject: 'bucket', name: 'cold', operation: 'put', error: down })
  await t.rejects(journal.flush(), { code: 'storage_failed' })
  t.equal(journal.waiting, 1)
  isFull = false
  t.equal(await journal.flush(), 1)
})

t.test('readers report and skip a damaged object; a compaction stops at it', async t => {
  const state = await stateOn(memoryStorage())
  await fail(state, 'a')
  await state.storage.put('journal/01jz9w2x3y4z5a6b7c8d9e0f1g', Buffer.from('{"version":1}\n{"half'))
  const said: string[] = []
  t.equal((await readJournal(state.storage, { onDamage: message => said.push(message) })).length, 1)
  t.match(said, [/journal\/01jz9w2x3y4z5a6b7c8d9e0f1g .* is damaged/])
  await t.rejects(compactJournal(state), { code: 'state_corrupt' })
  t.equal((await journalKeys(state.storage)).length, 2, 'nothing was removed')
})

t.test('compaction merges objects into one and drops events that are too old', async t => {
  let now = Date.UTC(2026, 1, 3)
  const state = await stateOn(memoryStorage(), () => now)
  await fail(state, 'old')
  now += MAX_AGE_MS + MINUTE
  for (const name of ['a', 'b', 'c']) await fail(state, name)
  const compacted = await compactJournal(state)
  t.same(compacted, { before: { objects: 4, events: 4 }, after: { objects: 1, events: 3 } })
  t.same((await read(state.storage)).map(({ name }) => name).sort(), ['a', 'b', 'c'])
  t.same((await compactJournal(state)).before, compacted.after)
})

t.test('compaction keeps the newest events when there are too many', async t => {
  let now = Date.UTC(2026, 1, 3)
  const state = await stateOn(memoryStorage(), () => now)
  const journal = journalOf(state)
  for (let index = 0; index < MAX_EVENTS; index++)
    journal.record({ subject: 'target', name: 'a', operation: 'deliver', error: down })
  await journal.flush()
  now += MINUTE
  await fail(state, 'newest')
  t.match(await compactJournal(state), { before: { events: MAX_EVENTS + 1 }, after: { events: MAX_EVENTS } })
  t.match(await read(state.storage, { limit: 1 }), [{ name: 'newest' }])
})

t.test('after a compaction that was interrupted before deleting, each event is shown once', async t => {
  const storage = memoryStorage()
  const state = await stateOn(storage)
  for (const name of ['a', 'b']) await fail(state, name)
  const dying = Object.assign(Object.create(storage) as Storage, {
    ...{ get: storage.get.bind(storage), put: storage.put.bind(storage), list: storage.list.bind(storage) },
    description: storage.description,
    delete: () => Promise.reject(new Error('killed')),
  })
  await t.rejects(compactJournal({ ...state, storage: dying }), { message: 'killed' })
  t.equal((await journalKeys(storage)).length, 3)
  t.equal((await read(storage)).length, 2)
  await compactJournal(state)
  t.equal((await journalKeys(storage)).length, 1)
  t.equal((await read(storage)).length, 2)
})

t.test('health is failing after an error, recovered after a success, and ok after the window has passed', async t => {
  let now = Date.UTC(2026, 1, 3)
  const state = await stateOn(memoryStorage(), () => now)
  const health = async (minutes = 5) => {
    const all = await readHealth(state, { minutes, onDamage: message => t.fail(message) })
    return all.find(({ name }) => name === 'site')
  }
  t.match(
    (await readHealth(state, { minutes: 5, onDamage: () => undefined })).map(({ state }) => state),
    ['unknown', 'unknown'],
  )
  await fail(state, 'site')
  t.match(await health(), { state: 'failing', errors: 1, lastError: { code: 'target_unreachable' } })
  now += MINUTE
  await noteSuccess(state, 'target', 'site')
  t.match(await health(), { state: 'recovered', errors: 1, lastSuccess: '2026-02-03T00:01:00.000Z' })
  now += 10 * MINUTE
  t.match(await health(), { state: 'ok', errors: 0 })
  t.match(await health(60), { state: 'recovered', errors: 1 })
})

t.test('health stays failing until a success, also when the last error is older than the window', async t => {
  let now = Date.UTC(2026, 1, 3)
  const state = await stateOn(memoryStorage(), () => now)
  await addTarget(state, SITE)
  await noteSuccess(state, 'target', 'site')
  now += MINUTE
  await fail(state, 'site')
  now += 60 * MINUTE
  const of = async (minutes: number) => {
    const all = await readHealth(state, { minutes, onDamage: message => t.fail(message) })
    return all.find(({ name }) => name === 'site')
  }
  t.match(await of(1), { state: 'failing', errors: 0, lastError: { time: '2026-02-03T00:01:00.000Z' } })
  t.match(await of(120), { state: 'failing', errors: 1 })
  await noteSuccess(state, 'target', 'site')
  t.match(await of(1), { state: 'ok', errors: 0 })
})
