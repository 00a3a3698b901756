/** Tests pushes that meet: concurrent ones, one after a failed one, and one that lost its lease. */

import { appendFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { deleteIntent, listIntents, putIntent } from '../../../src/state/intent.js'
import { acquireLease } from '../../../src/state/lease.js'
import { readWatermark, rewind } from '../../../src/state/watermark.js'
import { IngestError } from '../../../src/errors.js'
import { SHA } from '../../fixtures/records.js'
import { TARGET_PARTITION, owner, seenBy, testState } from '../../state/fixtures/state.js'
import { codeOf, datasets, lineOf, push, target, write } from './fixtures/durable.js'

const until = async (state: ReturnType<typeof testState>, name = TARGET_PARTITION.target): Promise<number> =>
  (await readWatermark(state.storage, { target: name, partition: SHA })).watermark.until

t.test('two pushes of one file at the same time take it in once', async t => {
  for (let round = 0; round < 10; round++) {
    const [state, there] = [testState({ tools: { random: Math.random } }), target()]
    const path = write(t.testdir(), 'f', 'a', 'b')
    const both = [
      push(state, [path], [there], { waitMs: 60_000 }),
      push(seenBy(state, owner('b')), [path], [there], { waitMs: 60_000 }),
    ]
    for (const { targets } of await Promise.all(both)) t.strictSame(targets.map(codeOf), [undefined])
    t.strictSame(there.given.map(datasets), [['a', 'b']])
  }
})

t.test('a failure to write the intent sends nothing', async t => {
  const [state, there] = [testState(), target()]
  const { storage } = state
  const broken = { ...state, storage: failingOn(storage, key => key.startsWith('intents/')) }
  const [outcome] = (await push(broken, [write(t.testdir(), 'f', 'a')], [there])).targets
  t.match(outcome, { error: { code: 'storage_failed' }, outbox: { queued: 1 } })
  t.strictSame(there.given, [])
})

t.test('a failure to delete it is no failure of the push, and the next one removes it', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a')
  const { storage } = state
  const broken = {
    ...state,
    storage: { ...failingOn(storage, () => false), delete: () => Promise.reject(new Error('away')) },
  }
  const [outcome] = (await push(broken, [path], [there])).targets
  t.match(outcome, { error: undefined, outbox: { warnings: [/an intent is left in the state.*away/] } })
  t.equal((await listIntents(storage)).length, 1)
  state.clock.now += 60_000
  const [next] = (await push(state, [path], [there])).targets
  t.match(next, { outbox: { audited: [{ event: 'recovered', detail: /already delivered/ }] } })
  t.strictSame(await listIntents(storage), [])
  t.equal(there.given.length, 1)
})

t.test(
  'an owner that lost its lease during a delivery does not move the watermark, so the newest values win',
  async t => {
    const state = testState()
    const path = write(t.testdir(), 'f', 'a=1')
    const there = target()
    // While the slow push delivers, its lease expires. The other push delivers the same records and later ones.
    const other = seenBy(state, owner('other'))
    let interfered = false
    const slow = target('http://there', {
      before: async () => {
        if (interfered) return
        interfered = true
        state.clock.now += 60_000
        writeFileSync(path, `${lineOf('a=2')}\n`)
        await push(other, [path], [there])
        t.strictSame([...there.rows], [['a', 2]])
      },
      after: async delivery => {
        for (const line of datasets({ ...slow.given.at(-1)!, range: delivery.range }))
          there.rows.set(line, slow.rows.get(line)!)
      },
    })
    const [outcome] = (await push(state, [path], [slow])).targets
    t.match(outcome, { error: undefined, outbox: { queued: 0 } })
    t.ok(outcome?.outbox?.audited.some(({ event }) => event === 'overtaken'))
    t.strictSame([...there.rows], [['a', 2]], 'the later value is the last one that was written')
    t.strictSame(await listIntents(state.storage), [])
  },
)

t.test(
  'who delivers while another process forgets the watermark starts again at once, and leaves no intent',
  async t => {
    const state = testState()
    const path = write(t.testdir(), 'f', 'a')
    await push(state, [path], [target()])
    appendFileSync(path, `${lineOf('b')}\n`)
    let rewound = false
    const slow = target('http://there', {
      before: async () => {
        if (!rewound) await rewind(state, TARGET_PARTITION, 0)
        rewound = true
      },
    })
    const [outcome] = (await push(state, [path], [slow])).targets
    t.match(outcome, { error: undefined, outbox: { queued: 0 } })
    t.strictSame(slow.given.map(datasets), [['b'], ['a', 'b']])
    t.strictSame(await listIntents(state.storage), [])
    t.equal(await until(state), 2)
  },
)

t.test('an intent of a process that lives is left to it', async t => {
  const state = testState()
  const path = write(t.testdir(), 'f', 'a')
  const lease = await acquireLease(seenBy(state, owner('busy')), TARGET_PARTITION, { waitMs: 0 })
  const intent = await putIntent(state, lease, { since: 0, until: 1 })
  const [outcome] = (await push(state, [path], [target()], { waitMs: 100 })).targets
  t.match(outcome, {
    error: { code: 'queued', message: /another process/ },
    outbox: { queued: 1, audited: [] },
  })
  await deleteIntent(state.storage, intent)
  await lease.release()
})

/** Storage that fails some writes. */
function failingOn(inner: ReturnType<typeof testState>['storage'], fails: (key: string) => boolean): typeof inner {
  const guard = <T>(key: string, work: () => Promise<T>): Promise<T> =>
    fails(key) ? Promise.reject(new IngestError('storage_failed', `no room for ${key}`)) : work()
  return {
    description: inner.description,
    get: key => inner.get(key),
    getVersioned: key => inner.getVersioned(key),
    put: (key, body) => guard(key, () => inner.put(key, body)),
    putIfAbsent: (key, body) => guard(key, () => inner.putIfAbsent(key, body)),
    putIfMatch: (key, body, version) => guard(key, () => inner.putIfMatch(key, body, version)),
    list: (prefix, options) => inner.list(prefix, options),
    delete: key => inner.delete(key),
    deletePrefix: prefix => inner.deletePrefix(prefix),
    close: () => inner.close(),
  }
}
