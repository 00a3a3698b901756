import { appendFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { deleteIntent, listIntents, putIntent } from '../../../src/state/intent.js'
import { headKey, watermarkKey } from '../../../src/state/keys.js'
import { acquire } from '../../../src/state/lease.js'
import { readWatermark, rewind } from '../../../src/state/watermark.js'
import { IngestError } from '../../../src/errors.js'
import { COMMIT, RUN, SHA } from '../../fixtures/delivery.js'
import { COURSE, keysOf, owner, seenBy, testState } from '../../state/fixtures/state.js'
import { codeOf, datasets, down, drained, failing, lineOf, push, target, write } from './fixtures/durable.js'

const until = async (state: ReturnType<typeof testState>, name = COURSE.target): Promise<number> =>
  (await readWatermark(state.storage, { target: name, partition: SHA })).watermark.until

t.test('a file is taken in, delivered, and then there is nothing new', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a', 'b')
  const first = await push(state, [path], [there])
  t.strictSame(there.given.map(datasets), [['a', 'b']])
  t.match(first, {
    sources: [{ change: 'new' }],
    outcomes: [{ failure: undefined, outbox: { kept: 0, delivered: { since: 0, until: 2 } } }],
  })
  t.equal(await until(state), 2)
  t.strictSame(await listIntents(state.storage), [])
  const again = await push(state, [path], [there])
  t.match(again, {
    sources: [{ change: 'unchanged' }],
    outcomes: [{ failure: undefined, outbox: { delivered: undefined } }],
  })
  t.equal(there.given.length, 1)
  t.equal(there.opened.count, 1, 'nothing new opens no target')
})

t.test('of a file that grew only the new lines go out', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a', 'b')
  await push(state, [path], [there])
  appendFileSync(path, `${lineOf('c')}\n`)
  t.match(await push(state, [path], [there]), { sources: [{ change: 'grown', linesBefore: 2 }] })
  t.strictSame(there.given.map(datasets), [['a', 'b'], ['c']])
})

t.test('a file that was written anew is taken from its start, and its values win', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a=1', 'b=1')
  await push(state, [path], [there])
  writeFileSync(path, `${lineOf('a=2')}\n`)
  t.match(await push(state, [path], [there]), { sources: [{ change: 'other', linesBefore: 0 }] })
  t.strictSame(
    [...there.rows],
    [
      ['a', 2],
      ['b', 1],
    ],
  )
})

t.test('what a dead target misses is kept, and comes with the next push, in order', async t => {
  const state = testState()
  const folder = t.testdir()
  const dead = target('http://there', { before: down })
  const path = write(folder, 'f', 'a=1')
  const [outcome] = (await push(state, [path], [dead])).outcomes
  t.match(outcome, { failure: { error: { code: 'kept', message: 'down', hint: /drain/ } }, outbox: { kept: 1 } })
  writeFileSync(path, `${lineOf('a=2')}\n${lineOf('b=1')}\n`)
  t.match((await push(state, [path], [dead])).outcomes, [{ outbox: { kept: 3 } }])
  const alive = target()
  const [last] = (await push(state, [path], [alive])).outcomes
  t.match(last, { failure: undefined, outbox: { kept: 0, audited: [{ event: 'healed', since: 0, until: 1 }] } })
  t.strictSame(
    [...alive.rows],
    [
      ['a', 2],
      ['b', 1],
    ],
  )
  t.equal(await until(state), 3)
  t.strictSame(await listIntents(state.storage), [])
})

t.test('targets lag by themselves', async t => {
  const state = testState()
  const [a, b] = [target('http://a'), target('http://b', { before: failing(1) })]
  const path = write(t.testdir(), 'f', 'x')
  t.strictSame((await push(state, [path], [a, b])).outcomes.map(codeOf), [undefined, 'kept'])
  appendFileSync(path, `${lineOf('y')}\n`)
  t.strictSame((await push(state, [path], [a, b])).outcomes.map(codeOf), [undefined, undefined])
  t.strictSame(a.given.map(datasets), [['x'], ['y']])
  t.strictSame([...b.rows.keys()], ['x', 'y'])
  t.strictSame([await until(state, 'http://a'), await until(state, 'http://b')], [2, 2])
})

t.test(
  'an answer that was lost after the target applied costs nothing but a second delivery of the same range',
  async t => {
    const state = testState()
    const lost = target('http://there', { after: failing(1) })
    const path = write(t.testdir(), 'f', 'a', 'b')
    await push(state, [path], [lost])
    appendFileSync(path, `${lineOf('c')}\n`)
    await push(state, [path], [lost])
    t.strictSame(
      lost.given.map(({ range }) => range),
      [
        { since: 0, until: 2 },
        { since: 0, until: 2 },
        { since: 2, until: 3 },
      ],
    )
    t.equal(lost.rows.size, 3)
  },
)

t.test('bad lines keep everything out of the outbox, and are told by their line in the file', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a', '', 'b')
  await push(state, [path], [there])
  appendFileSync(path, `\n${lineOf('c')}\n{}\n`)
  const rejections: object[] = []
  const pushed = await push(state, [path], [there], { onRejection: one => rejections.push(one) })
  t.match(rejections, [{ line: 6, byte: Buffer.byteLength(`${lineOf('a')}\n\n${lineOf('b')}\n\n${lineOf('c')}\n`) }])
  t.strictSame(pushed.outcomes, [])
  t.equal(there.given.length, 1)
  writeFileSync(path, [lineOf('a'), '', lineOf('b'), '', lineOf('c'), lineOf('d'), ''].join('\n'))
  t.match(await push(state, [path], [there]), { sources: [{ change: 'grown', linesBefore: 3 }] })
  t.strictSame(datasets(there.given[1]), ['c', 'd'])
})

t.test('a last line without its line feed is taken, and line numbers go on from it', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f')
  writeFileSync(path, `${lineOf('a')}\n${lineOf('b')}`)
  await push(state, [path], [there])
  t.strictSame(datasets(there.given[0]), ['a', 'b'])
  appendFileSync(path, `\n{}\n`)
  const rejections: { line: number }[] = []
  await push(state, [path], [there], { onRejection: one => rejections.push(one) })
  t.match(rejections, [{ line: 3 }])
})

t.test('an empty file gives its commit once, and its first lines when it has some', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f')
  for (let i = 0; i < 2; i++) await push(state, [path], [there])
  t.match(there.given, [{ lines: [], commit: COMMIT }])
  t.equal(there.given.length, 1)
  writeFileSync(path, '\n \n')
  const [blank] = (await push(state, [path], [there])).outcomes
  t.equal(blank?.outbox?.byAnother, undefined)
  t.equal(there.given.length, 1, 'blank lines are nothing new')
  appendFileSync(path, `${lineOf('a')}\n`)
  await push(state, [path], [there])
  t.strictSame(there.given.map(datasets), [[], ['a']])
})

t.test('a file that is named twice is taken once', async t => {
  const [state, there] = [testState(), target()]
  const folder = t.testdir()
  const path = write(folder, 'f', 'a')
  await push(state, [path, `${folder}/./f`], [there])
  t.strictSame(there.given.map(datasets), [['a']])
  t.equal(await until(state), 1)
})

t.test('files of one push go together; a refused record is told by its own file and line', async t => {
  const state = testState()
  const folder = t.testdir()
  const paths = [write(folder, 'f', 'a', 'b'), write(folder, 'g', '', 'c', 'd')]
  const places: object[] = []
  const asking = target('http://there', {
    before: async delivery => {
      for (const line of [1, 2, 3, 4, 5]) places.push(await delivery.placeOf!(line, 7))
    },
  })
  await push(state, paths, [asking])
  t.strictSame(asking.given.map(datasets), [['a', 'b', 'c', 'd']])
  const [f, g] = paths
  t.match(places, [
    { source: f, line: 1 },
    { source: f, line: 2 },
    { source: g, line: 1 },
    { source: g, line: 2 },
    { source: g, line: 3 },
  ])
})

t.test('metadata of a commit that changed between two pushes arrives in order, each with its lines', async t => {
  const state = testState()
  const folder = t.testdir()
  const amended = { ...COMMIT, message: 'Amended' }
  const dead = target('http://there', { before: down })
  await push(state, [write(folder, 'f', 'a')], [dead])
  await push(state, [write(folder, 'g', 'b')], [dead], { commitOf: async () => amended })
  const alive = target()
  await drained(state, [alive])
  t.strictSame(
    alive.given.map(({ commit }) => commit.message),
    [COMMIT.message, 'Amended'],
  )
})

t.test('the same file of another benchmark is another source', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a')
  await push(state, [path], [there])
  t.match(await push(state, [path], [there], { run: { ...RUN, benchmark_id: 'other' } }), {
    sources: [{ change: 'new' }],
  })
  t.equal(there.given.length, 2)
})

t.test('--full-refresh takes and delivers everything again, from the first number', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a')
  await push(state, [path], [there])
  await push(state, [path], [there], { fullRefresh: true })
  t.strictSame(there.given.map(datasets), [['a'], ['a', 'a']])
  t.equal(await until(state), 2)
})

t.test('a dry run leaves no trace and opens nothing', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a')
  t.match(await push(state, [path], [there], { dryRun: true }), { sources: [{ change: 'new' }], outcomes: [] })
  t.strictSame(await keysOf(state), [])
  t.equal(there.opened.count, 0)
})

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
  await state.storage.put(watermarkKey(SHA, COURSE.target), Buffer.from('{'))
  const [outcome] = (await push(state, [path], [there])).outcomes
  t.match(outcome, { failure: undefined, outbox: { warnings: [/watermark of http:\/\/there could not be read/] } })
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
  const [outcome] = (await push(state, [path], [there])).outcomes
  t.match(outcome?.failure?.error, { code: 'state_corrupt', message: new RegExp(`^${key} in `) })
  t.strictSame(there.given, [])
  t.equal(await until(state), 0)
})

t.test('a head that was lost: what is pushed again is delivered again, and the rest is not hidden', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a', 'b')
  await push(state, [path], [there])
  await state.storage.delete(headKey(SHA))
  t.match((await drained(state, [there])).outcomes.map(codeOf), ['state_corrupt'])
  const pushed = await push(state, [path], [there])
  t.match(pushed, {
    sources: [{ change: 'new' }],
    warnings: [/outbox of this commit was gone/],
    outcomes: [{ failure: undefined }],
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
  const { outcomes } = await drained(state, [target()])
  t.match(outcomes[0]?.failure?.error, { code: 'state_corrupt', message: new RegExp(`^${headKey(SHA)} `) })
  t.equal((await listIntents(state.storage)).length, 1)
})

t.test('a target that refuses for good is told as that, and keeps what it refused', async t => {
  const state = testState()
  const refusing = target('http://there', { before: () => Promise.reject(new IngestError('auth_failed', 'no')) })
  const [outcome] = (await push(state, [write(t.testdir(), 'f', 'a')], [refusing])).outcomes
  t.match(outcome, { failure: { error: { code: 'auth_failed' } }, outbox: { kept: 1 } })
})

t.test('two pushes of one file at the same time take it in once', async t => {
  for (let round = 0; round < 10; round++) {
    const [state, there] = [testState({ tools: { random: Math.random } }), target()]
    const path = write(t.testdir(), 'f', 'a', 'b')
    const both = [
      push(state, [path], [there], { waitMs: 60_000 }),
      push(seenBy(state, owner('b')), [path], [there], { waitMs: 60_000 }),
    ]
    for (const { outcomes } of await Promise.all(both)) t.strictSame(outcomes.map(codeOf), [undefined])
    t.strictSame(there.given.map(datasets), [['a', 'b']])
  }
})

t.test('a failure to write the intent sends nothing', async t => {
  const [state, there] = [testState(), target()]
  const { storage } = state
  const broken = { ...state, storage: failingOn(storage, key => key.startsWith('intents/')) }
  const [outcome] = (await push(broken, [write(t.testdir(), 'f', 'a')], [there])).outcomes
  t.match(outcome, { failure: { error: { code: 'kept' } }, outbox: { kept: 1 } })
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
  const [outcome] = (await push(broken, [path], [there])).outcomes
  t.match(outcome, { failure: undefined, outbox: { warnings: [/an intent is left in the state.*away/] } })
  t.equal((await listIntents(storage)).length, 1)
  state.clock.now += 60_000
  const [next] = (await push(state, [path], [there])).outcomes
  t.match(next, { outbox: { audited: [{ event: 'healed', detail: /had been delivered/ }] } })
  t.strictSame(await listIntents(storage), [])
  t.equal(there.given.length, 1)
})

t.test('who was overtaken while it delivered goes back, so that the order of values is right in the end', async t => {
  const state = testState()
  const path = write(t.testdir(), 'f', 'a=1')
  const there = target()
  // While the slow one delivers, its lease runs out, and another one delivers that and what came after.
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
  const [outcome] = (await push(state, [path], [slow])).outcomes
  t.match(outcome, { failure: undefined, outbox: { kept: 0 } })
  t.ok(outcome?.outbox?.audited.some(({ event }) => event === 'overtaken'))
  t.strictSame([...there.rows], [['a', 2]], 'the later value is the last one that was written')
  t.strictSame(await listIntents(state.storage), [])
})

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
        if (!rewound) await rewind(state, COURSE, 0)
        rewound = true
      },
    })
    const [outcome] = (await push(state, [path], [slow])).outcomes
    t.match(outcome, { failure: undefined, outbox: { kept: 0 } })
    t.strictSame(slow.given.map(datasets), [['b'], ['a', 'b']])
    t.strictSame(await listIntents(state.storage), [])
    t.equal(await until(state), 2)
  },
)

t.test('an intent of a process that lives is left to it', async t => {
  const state = testState()
  const path = write(t.testdir(), 'f', 'a')
  const lease = await acquire(seenBy(state, owner('busy')), COURSE, { waitMs: 0 })
  const intent = await putIntent(state, lease, { since: 0, until: 1 })
  const [outcome] = (await push(state, [path], [target()], { waitMs: 100 })).outcomes
  t.match(outcome, {
    failure: { error: { code: 'kept', message: /another process/ } },
    outbox: { kept: 1, audited: [] },
  })
  await deleteIntent(state.storage, intent)
  await lease.release()
})

/** Storage that says no to some writes. */
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
