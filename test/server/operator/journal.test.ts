import t from 'tap'
import { IngestError } from '../../../src/errors.js'
import type { Store } from '../../../src/server/store/store.js'
import { addTarget } from '../../../src/state/targets.js'
import { memoryStorage } from '../../../src/storage/memory.js'
import type { Storage } from '../../../src/storage/storage.js'
import { watched } from '../../state/fixtures/filled.js'
import { envelope } from '../fixtures/envelopes.js'
import { startOperated, type Operated } from '../fixtures/operator.js'
import { get, post } from '../fixtures/server.js'
import { startStore } from '../fixtures/store.js'
import { waitUntil } from '../../fixtures/wait-until.js'

const IDENTITY = 'embedded:/x'
const real = await startStore(t)

type Fate = { isDown: boolean; isStateDown: boolean }

/** Starts a server whose real store and state can each be made unreachable. */
async function start(t: Parameters<typeof startOperated>[0]): Promise<Operated & { readonly fate: Fate }> {
  const fate: Fate = { isDown: false, isStateDown: false }
  const unlessDown = async <T>(work: () => Promise<T>): Promise<T> => {
    if (fate.isDown) throw new IngestError('target_unreachable', 'cannot reach postgres://u:hush-4711@db/d')
    return work()
  }
  const { kind, description, isOrdered, sessions } = real
  const store: Store = {
    ...{ kind, description, isOrdered, sessions, close: () => Promise.resolve() },
    write: delivery => unlessDown(() => real.write(delivery)),
    change: work => unlessDown(() => real.change(work)),
    read: work => unlessDown(() => real.read(work)),
  }
  const storage: Storage = watched(memoryStorage(), operation => {
    if (fate.isStateDown && operation.startsWith('put')) throw new IngestError('storage_failed', 'no room')
  })
  return { ...(await startOperated(t, { store, storage, identity: IDENTITY })), fate }
}

type Event = { readonly name: string; readonly operation: string; readonly code: string; readonly message: string }

async function eventsOf({ ask }: Operated, query = ''): Promise<readonly Event[]> {
  const { status, text, body } = await ask('GET', `/storage/errors${query}`)
  if (status !== 200) throw new Error(text)
  return body['events'] as readonly Event[]
}

async function healthOf({ ask }: Operated, name: string): Promise<unknown> {
  const { body } = await ask('GET', '/storage/bucket-health')
  return (body['health'] as readonly { readonly name: string; readonly state: string }[]).find(one => one.name === name)
    ?.state
}

const unregistered = { secretEnv: undefined, bucket: undefined, rolePolicy: undefined, region: undefined }
const db = { name: 'db', kind: 'embedded', address: '/x', identity: IDENTITY, isRequired: true } as const

t.test('a failure of the store is an event under its registered name, and its recovery too', async t => {
  const server = await start(t)
  await addTarget(server.state, { ...unregistered, ...db, insecureLocal: false })
  t.equal((await post(server, envelope([]))).status, 200)
  server.fate.isDown = true
  t.equal((await post(server, envelope([]))).status, 500)
  t.equal((await post(server, envelope([]))).status, 500)
  const events = await eventsOf(server, '?target=db')
  t.equal(events.length, 2)
  t.match(events[0], { subject: 'target', operation: 'ingest', code: 'target_unreachable', run: 'serve' })
  t.notMatch(JSON.stringify(events), /hush/)
  t.equal(await healthOf(server, 'db'), 'failing')
  const listed = await server.ask('GET', '/targets')
  t.match(listed.body, { targets: [{ name: 'db', last_error: { operation: 'ingest' }, settings: 'defaults' }] })
  server.fate.isDown = false
  t.equal((await post(server, envelope([]))).status, 200)
  await server.settled()
  t.equal(await healthOf(server, 'db'), 'recovered')
})

t.test(
  'a store that nobody registered is called store, and what a client did wrong is none of its failures',
  async t => {
    const server = await start(t)
    t.equal((await post(server, '{')).status, 400)
    const when = envelope([]).replace('2026-02-03T23:30:00-05:00', 'whenever')
    t.equal((await post(server, when)).status, 400)
    t.same(await eventsOf(server), [])
    server.fate.isDown = true
    await post(server, envelope([]))
    t.match(await eventsOf(server), [{ name: 'store' }])
  },
)

t.test('repeated health requests record an unreachable store once', async t => {
  const server = await start(t)
  server.fate.isDown = true
  for (let asked = 0; asked < 3; asked++) t.equal((await get(server, '/health')).status, 503)
  t.match(await eventsOf(server), [{ operation: 'health' }])
  t.equal((await eventsOf(server)).length, 1)
})

t.test('events come newest first, filtered by target, since and limit; bad filters are refused', async t => {
  const server = await start(t)
  const { events } = server.journal
  for (const name of ['one', 'two', 'three']) {
    events.record({ subject: 'target', name, operation: 'deliver', error: new IngestError('queued', name) })
    // Two events in the same millisecond have no defined order.
    const recordedAt = Date.now()
    await waitUntil(() => Date.now() > recordedAt)
  }
  t.same(
    (await eventsOf(server)).map(({ name }) => name),
    ['three', 'two', 'one'],
  )
  t.match(await eventsOf(server, '?limit=1'), [{ name: 'three' }])
  t.match(await eventsOf(server, '?target=two'), [{ name: 'two' }])
  t.equal((await eventsOf(server, '?since=2000-01-01T00:00:00Z')).length, 3)
  t.equal((await eventsOf(server, '?since=2999-01-01T00:00:00Z')).length, 0)
  t.equal((await eventsOf(server, '?since=90m&limit=5000')).length, 3)
  for (const query of ['since=yesterday', 'since=2026', 'limit=x', 'limit=1&limit=2', 'target=a&target=b'])
    t.match(await server.ask('GET', `/storage/errors?${query}`), { status: 400, body: { error: 'bad_request' } })
  t.match(await server.ask('GET', '/storage/bucket-health?minutes=x'), { status: 400 })
})

t.test('flush says how many became durable, compact how it was before and is after', async t => {
  const server = await start(t)
  const fail = (): void =>
    server.journal.events.record({ subject: 'bucket', name: 'primary', operation: 'get', error: new Error('x') })
  fail()
  t.match(await server.ask('POST', '/storage/errors/flush'), { status: 200, body: { flushed: 1 } })
  t.match(await server.ask('POST', '/storage/errors/flush'), { status: 200, body: { flushed: 0 } })
  fail()
  t.match(await server.ask('POST', '/storage/errors/compact'), {
    status: 200,
    body: { before: { objects: 2, events: 2 }, after: { objects: 1, events: 2 } },
  })
})

t.test('a journal that cannot be written fails no envelope, is said once, and loses nothing', async t => {
  const server = await start(t)
  server.fate.isStateDown = true
  server.fate.isDown = true
  t.equal((await post(server, envelope([]))).status, 500)
  server.fate.isDown = false
  t.equal((await post(server, envelope([]))).status, 200)
  t.match(await server.ask('POST', '/storage/errors/flush'), { status: 503, body: { error: 'storage_failed' } })
  t.equal((await server.ask('GET', '/storage/errors')).status, 200)
  t.equal((await server.ask('GET', '/storage/errors')).status, 200)
  t.equal(server.problems.filter(problem => problem.startsWith('the journal')).length, 1)
  server.fate.isStateDown = false
  t.match(await eventsOf(server), [{ operation: 'ingest' }])
})

t.test('the journal stays bounded without compaction', async t => {
  const server = await start(t)
  for (let index = 0; index < 120; index++) {
    server.journal.events.record({ subject: 'target', name: 'x', operation: 'ingest', error: new Error('x') })
    await server.journal.flush()
  }
  const { objects } = await server.state.storage.list('journal/')
  t.equal(objects.length, 21)
  t.equal((await eventsOf(server, '?limit=1000')).length, 120)
})

t.test('a target whose last operation failed is failing, however short the counted period', async t => {
  const server = await start(t)
  const at = Date.now() - 3_600_000
  const error = new IngestError('target_unreachable', 'away')
  server.journal.events.record({ subject: 'bucket', name: 'rescue', operation: 'put', error, at })
  const { body } = await server.ask('GET', '/storage/bucket-health?minutes=1')
  t.match(body, {
    minutes: 1,
    health: [
      { name: 'rescue', state: 'failing', errors: 0 },
      { name: 'primary', state: 'unknown' },
    ],
  })
})
