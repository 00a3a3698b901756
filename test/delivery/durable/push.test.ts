import { appendFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { listIntents } from '../../../src/state/intent.js'
import { watermarkKey } from '../../../src/state/keys.js'
import { readWatermark } from '../../../src/state/watermark.js'
import type { Target } from '../../../src/delivery/target.js'
import { IngestError } from '../../../src/errors.js'
import { sumReceipt } from '../../../src/source/delivery.js'
import { COMMIT, RUN, SHA } from '../../fixtures/records.js'
import { TARGET_PARTITION, interfering, keysOf, testState, watched } from '../../state/fixtures/state.js'
import { codeOf, datasets, down, drained, failing, lineOf, push, target, write } from './fixtures/durable.js'

const until = async (state: ReturnType<typeof testState>, name = TARGET_PARTITION.target): Promise<number> =>
  (await readWatermark(state.storage, { target: name, partition: SHA })).watermark.until

t.test('a file is enqueued and delivered, and a second push finds nothing new', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a', 'b')
  const first = await push(state, [path], [there])
  t.strictSame(there.given.map(datasets), [['a', 'b']])
  t.match(first, {
    sources: [{ change: 'new' }],
    targets: [{ error: undefined, outbox: { queued: 0, delivered: { since: 0, until: 2 } } }],
  })
  t.equal(await until(state), 2)
  t.strictSame(await listIntents(state.storage), [])
  const again = await push(state, [path], [there])
  t.match(again, {
    sources: [{ change: 'unchanged' }],
    targets: [{ error: undefined, outbox: { delivered: undefined } }],
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

t.test('records for an unreachable target stay queued and are delivered in order by the next push', async t => {
  const state = testState()
  const folder = t.testdir()
  const dead = target('http://there', { before: down })
  const path = write(folder, 'f', 'a=1')
  const [outcome] = (await push(state, [path], [dead])).targets
  t.match(outcome, { error: { code: 'queued', message: 'down', hint: /drain/ }, outbox: { queued: 1 } })
  writeFileSync(path, `${lineOf('a=2')}\n${lineOf('b=1')}\n`)
  t.match((await push(state, [path], [dead])).targets, [{ outbox: { queued: 3 } }])
  const alive = target()
  const [last] = (await push(state, [path], [alive])).targets
  t.match(last, { error: undefined, outbox: { queued: 0, audited: [{ event: 'recovered', since: 0, until: 1 }] } })
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
  t.strictSame((await push(state, [path], [a, b])).targets.map(codeOf), [undefined, 'queued'])
  appendFileSync(path, `${lineOf('y')}\n`)
  t.strictSame((await push(state, [path], [a, b])).targets.map(codeOf), [undefined, undefined])
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

t.test('bad lines keep everything out of the outbox, and are reported by their line in the file', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f', 'a', '', 'b')
  await push(state, [path], [there])
  appendFileSync(path, `\n${lineOf('c')}\n{}\n`)
  const rejections: object[] = []
  const pushed = await push(state, [path], [there], {
    onEvent: event => void (event.type === 'line-rejected' && rejections.push(event.rejection)),
  })
  t.match(rejections, [{ line: 6, byte: Buffer.byteLength(`${lineOf('a')}\n\n${lineOf('b')}\n\n${lineOf('c')}\n`) }])
  t.strictSame(pushed.targets, [])
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
  await push(state, [path], [there], {
    onEvent: event => void (event.type === 'line-rejected' && rejections.push(event.rejection)),
  })
  t.match(rejections, [{ line: 3 }])
})

t.test('an empty file gives its commit once, and its first lines when it has some', async t => {
  const [state, there] = [testState(), target()]
  const path = write(t.testdir(), 'f')
  for (let i = 0; i < 2; i++) await push(state, [path], [there])
  t.match(there.given, [{ lines: [], commit: COMMIT }])
  t.equal(there.given.length, 1)
  writeFileSync(path, '\n \n')
  const [blank] = (await push(state, [path], [there])).targets
  t.equal(blank?.outbox?.byAnother, false)
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

t.test('files of one push are delivered together; a refused record is reported by its file and line', async t => {
  const state = testState()
  const folder = t.testdir()
  const paths = [write(folder, 'f', 'a', 'b'), write(folder, 'g', '', 'c', 'd')]
  const places: object[] = []
  const asking = target('http://there', {
    before: async delivery => {
      for (const line of [1, 2, 3, 4, 5]) places.push(await delivery.locateLine!(line, 7))
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
  await push(state, [write(folder, 'g', 'b')], [dead], { commit: async () => amended })
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
  t.match(await push(state, [path], [there], { dryRun: true }), { sources: [{ change: 'new' }], targets: [] })
  t.strictSame(await keysOf(state), [])
  t.equal(there.opened.count, 0)
})

t.test('a permanent refusal is reported as such, and the records stay queued', async t => {
  const state = testState()
  const refusing = target('http://there', { before: () => Promise.reject(new IngestError('auth_failed', 'no')) })
  const [outcome] = (await push(state, [write(t.testdir(), 'f', 'a')], [refusing])).targets
  t.match(outcome, { error: { code: 'auth_failed' }, outbox: { queued: 1 } })
})

t.test(
  'a database is given the rows that were made when the lines were checked, and only else reads the outbox',
  async t => {
    const plain = testState()
    const read: string[] = []
    const note = (operation: string, key: string): unknown =>
      operation === 'get' && key.includes('/lines/') && read.push(key)
    const state = { ...plain, storage: watched(plain.storage, note) }
    const given: string[] = []
    let isDown = true
    const base = target()
    const opener: Target['opener'] = {
      ...base.opener,
      readsRows: true,
      open: async () => ({
        async write(delivery) {
          if (isDown) await down()
          for await (const { text } of delivery.rows()) given.push(...text.toString().trimEnd().split('\n'))
          return sumReceipt([])
        },
        close: async () => undefined,
      }),
    }
    const there = { ...base, opener }
    const folder = t.testdir()
    const [first, second, third] = [['a', 'b'], ['c'], ['d']].map(pairs => write(folder, pairs.join(), ...pairs))
    await push(state, [first!], [there])
    isDown = false
    await push(state, [second!], [there])
    t.match(given, [/\ta\t/, /\tb\t/, /\tc\t/], 'what was missed comes first, in order')
    t.equal(read.length, 1, 'what was missed is read')
    await push(state, [third!], [there])
    t.match(given.slice(3), [/\td\t/])
    t.equal(read.length, 1, 'nothing is read back')
    const outbox = await plain.storage.list('outbox/')
    t.ok(
      outbox.objects.some(({ key }) => key.includes('/lines/')),
      'it is there all the same',
    )
  },
)

t.test('a target that cannot be rewound fails alone', async t => {
  const plain = testState()
  const [lost, well] = [target('http://lost'), target('http://well')]
  const path = write(t.testdir(), 'f', 'a')
  await push(plain, [path], [lost, well])
  const isOfLost = (key: string): boolean => key === watermarkKey(SHA, 'http://lost')
  const storage = interfering(plain.storage, async key => {
    if (isOfLost(key)) throw new IngestError('storage_failed', 'no room')
  })
  const { targets } = await push({ ...plain, storage }, [path], [lost, well], { fullRefresh: true })
  t.strictSame(targets.map(codeOf), ['storage_failed', undefined])
  t.equal(well.given.length, 2, 'all of it again')
})
