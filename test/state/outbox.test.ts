import t from 'tap'
import { readHead, writeHead } from '../../src/state/head.js'
import { headKey, linesPrefix } from '../../src/state/keys.js'
import { readLines, storeLines } from '../../src/state/lines.js'
import { thisProcess } from '../../src/state/state.js'
import { appendToOutbox, batchesAfter, partitions, sweepUnnamedLines } from '../../src/state/outbox.js'
import { writeWatermark } from '../../src/state/watermark.js'
import { memoryStorage } from '../../src/storage/memory.js'
import { COMMIT, SHA } from '../fixtures/records.js'
import {
  blocksOf,
  TARGET_PARTITION,
  newLines,
  interfering,
  keysOf,
  ofFile,
  once,
  ORIGIN,
  position,
  testState,
  textsOf,
  type TestState,
} from './fixtures/state.js'
import { waitUntil } from '../fixtures/wait-until.js'

const append1 = (
  state: TestState,
  ...additions: Parameters<typeof appendToOutbox>[1]['additions'][number][]
): ReturnType<typeof appendToOutbox> => appendToOutbox(state, { additions, origin: ORIGIN })

function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const passed = new Promise<void>(resolve => (open = resolve))
  return { passed, open: () => open() }
}

async function linesIn(state: TestState): Promise<readonly string[]> {
  const { head } = await readHead(state.storage, SHA)
  return textsOf(
    readLines(
      state.storage,
      head.batches.flatMap(({ objects }) => objects),
    ),
  )
}

t.test('lines get the next sequence numbers in the order in which they are enqueued', async t => {
  const state = testState()
  await append1(state, ofFile('a', 'x', 'y'))
  const head = await append1(state, ofFile('b', 'z'), ofFile('c'))
  t.strictSame(
    head?.batches.map(({ source, first, last, records }) => [source, first, last, records]),
    [
      ['a', 1, 2, 2],
      ['b', 3, 3, 1],
      // A file without records uses one sequence number, so that its commit is delivered.
      ['c', 4, 4, 0],
    ],
  )
  t.equal(head?.next, 5)
  t.strictSame(await linesIn(state), ['x', 'y', 'z'])
})

t.test('lines are enqueued later than all lines before them, even by a machine whose clock is behind', async t => {
  const state = testState()
  await append1(state, ofFile('a', 'x'))
  state.clock.now -= 60_000
  const head = await append1(state, ofFile('b', 'y'), ofFile('c', 'z'))
  const [first, ...others] = head!.batches.map(({ at }) => Date.parse(at))
  t.strictSame(others, [first! + 1, first! + 1])
  const { storage } = state
  const before = await readHead(storage, SHA)
  await writeHead(storage, SHA, { ...before, head: { ...before.head, batches: [] } })
  const pruned = await append1(state, ofFile('d', 'w'))
  t.equal(Date.parse(pruned!.batches[0]!.at), first! + 2, 'even if those were pruned')
})

t.test('the position moves with the lines; blank lines move only the position', async t => {
  const state = testState()
  const [p0, p1] = [position(10, 1), position(12, 3)]
  await append1(state, newLines(['x'], { position: { name: 'f', from: undefined, to: p0 } }))
  const grown = newLines(['', ''], { records: 0, position: { name: 'f', from: p0, to: p1 } })
  const head = await append1(state, grown)
  t.strictSame(head?.positions.get('f'), p1)
  t.equal(head?.batches.length, 1)
  t.equal(head?.next, 2)
  t.equal((await keysOf(state, linesPrefix(SHA))).length, 1)
})

t.test('a process that finds the same lines already enqueued enqueues nothing and leaves no objects', async t => {
  const state = testState()
  await append1(state, newLines(['x']))
  t.equal(await append1(state, newLines(['x'])), undefined)
  t.equal(
    await append1(state, newLines(['x'], { position: { name: 'f', from: position(9), to: position(20) } })),
    undefined,
  )
  t.strictSame(await linesIn(state), ['x'])
  t.equal((await keysOf(state, linesPrefix(SHA))).length, 1)
})

t.test('several files are enqueued together or not at all', async t => {
  const state = testState()
  await append1(state, ofFile('a', 'x'))
  t.equal(await append1(state, ofFile('b', 'y'), ofFile('a', 'x')), undefined)
  t.strictSame(await linesIn(state), ['x'])
})

t.test('concurrent appends lose nothing and assign no sequence number twice', async t => {
  const state = testState({ tools: { random: Math.random } })
  const names = Array.from({ length: 20 }, (_, index) => `file-${index}`)
  await Promise.all(names.map(name => append1(state, ofFile(name, `${name}-1`, `${name}-2`))))
  const { head } = await readHead(state.storage, SHA)
  t.equal(head.next, 41)
  t.strictSame([...(await linesIn(state))].sort(), names.flatMap(name => [`${name}-1`, `${name}-2`]).sort())
})

t.test('an append that loses a race gets the sequence numbers after the winner', async t => {
  const storage = memoryStorage()
  const rival = testState({ storage })
  const appendRival = once(() => append1(rival, ofFile('rival', 'r1', 'r2')))
  const state = testState({
    storage: interfering(storage, key => (key === headKey(SHA) ? appendRival() : Promise.resolve())),
  })
  const head = await append1(state, ofFile('mine', 'm'))
  t.strictSame(
    head?.batches.map(({ source, first }) => [source, first]),
    [
      ['rival', 1],
      ['mine', 3],
    ],
  )
})

t.test('lines that were swept before the head named them are stored again', async t => {
  const storage = memoryStorage()
  const state = testState({ storage })
  await append1(state, ofFile('a', 'x'))
  const sweeper = testState({ storage })
  sweeper.clock.now += 60 * 60_000
  const sweepOnce = once(() => sweepUnnamedLines(sweeper, SHA))
  const slow = testState({
    storage: interfering(storage, key => (key === headKey(SHA) ? sweepOnce() : Promise.resolve())),
  })
  await append1(slow, ofFile('b', 'y'))
  t.strictSame(await linesIn(state), ['x', 'y'], 'none of them is gone')
})

t.test('a lost head continues after the highest watermark', async t => {
  const state = testState()
  const watermark = { id: 'w', until: 41, fencingToken: 3, lease: undefined, at: '' }
  await writeWatermark(state.storage, TARGET_PARTITION, { watermark, stored: undefined, isDamaged: false })
  const head = await append1(state, ofFile('a', 'x'))
  t.equal(head?.batches[0]?.first, 42)
})

t.test('batchesAfter returns the batches with greater sequence numbers', async t => {
  const state = testState()
  await append1(state, ofFile('a', '1', '2'), ofFile('b', '3'), ofFile('c', '4', '5'))
  const { head } = await readHead(state.storage, SHA)
  const after = (since: number): readonly string[] => batchesAfter(head, since).map(({ source }) => source)
  t.strictSame([0, 1, 2, 3, 4, 5, 9].map(after), [['a', 'b', 'c'], ['a', 'b', 'c'], ['b', 'c'], ['c'], ['c'], [], []])
})

t.test('each partition is listed once, in order, however many objects it has', async t => {
  const state = testState()
  const shas = ['f', '0', 'a'].map(digit => digit.repeat(40))
  for (const sha of shas)
    for (const name of ['a', 'b', 'c'])
      await appendToOutbox(state, { additions: [ofFile(name, 'x')], origin: { ...ORIGIN, commit: { ...COMMIT, sha } } })
  const found: string[] = []
  for await (const partition of partitions(state.storage)) found.push(partition)
  t.strictSame(found, [...shas].sort())
})

t.test('sweepUnnamedLines', async t => {
  const dead = async (): Promise<TestState> => testState({ owner: { ...(await thisProcess()), pid: 2 ** 22 + 1 } })

  await t.test('deletes at once the unnamed lines of a process that has ended', async t => {
    const state = await dead()
    await append1(state, ofFile('a', 'x'))
    await storeLines(state, SHA, blocksOf('left behind'))
    const { head } = await readHead(state.storage, SHA)
    t.equal(await sweepUnnamedLines(state, SHA), 1)
    t.equal((await keysOf(state, linesPrefix(SHA))).length, 1)
    t.equal((await readHead(state.storage, SHA)).head.epoch, head.epoch + 1, 'whoever still wants them is told')
    t.strictSame(await linesIn(state), ['x'])
    t.equal(await sweepUnnamedLines(state, SHA), 0)
    t.equal((await readHead(state.storage, SHA)).head.epoch, head.epoch + 1, 'nothing to do, nothing written')
  })

  await t.test('keeps unnamed lines of another machine until they are old', async t => {
    const state = testState()
    await append1(state, ofFile('a', 'x'))
    await storeLines(state, SHA, blocksOf('being written'))
    t.equal(await sweepUnnamedLines(state, SHA), 0)
    state.clock.now += 14 * 60_000
    t.equal(await sweepUnnamedLines(state, SHA), 0)
    state.clock.now += 2 * 60_000
    t.equal(await sweepUnnamedLines(state, SHA), 1)
    t.strictSame(await linesIn(state), ['x'])
  })

  await t.test('keeps lines that are named between the listing and the read of the head', async t => {
    const storage = memoryStorage()
    const looked = gate()
    const named = gate()
    const isHead = (key: string): boolean => key === headKey(SHA)
    const writer = testState({ storage: interfering(storage, async key => (isHead(key) ? looked.passed : undefined)) })
    const late = interfering(storage, async key => {
      if (isHead(key)) await (looked.open(), named.passed)
    })
    const sweeper = testState({ storage: late })
    sweeper.clock.now += 60 * 60_000
    const writing = append1(writer, ofFile('a', 'x'))
    await waitUntil(async () => (await keysOf(writer, linesPrefix(SHA))).length > 0)
    const sweeping = sweepUnnamedLines(sweeper, SHA)
    await writing
    named.open()
    t.equal(await sweeping, 0)
    t.strictSame(await linesIn(writer), ['x'])
  })

  await t.test('deletes nothing of a partition whose head was lost', async t => {
    const state = await dead()
    await append1(state, ofFile('a', 'x'))
    const watermark = { id: 'w', until: 1, fencingToken: 1, lease: undefined, at: '' }
    await writeWatermark(state.storage, TARGET_PARTITION, { watermark, stored: undefined, isDamaged: false })
    await state.storage.delete(headKey(SHA))
    t.equal(await sweepUnnamedLines(state, SHA), 0)
    t.equal((await keysOf(state, linesPrefix(SHA))).length, 1)
  })

  await t.test('deletes the lines of a first push that was killed', async t => {
    const state = await dead()
    await storeLines(state, SHA, blocksOf('x'))
    t.equal(await sweepUnnamedLines(state, SHA), 1)
  })
})

t.test('a head write that took effect but was reported as a conflict keeps its lines', async t => {
  const storage = memoryStorage()
  const tellLost = once(async () => true)
  const putIfAbsent = storage.putIfAbsent.bind(storage)
  storage.putIfAbsent = async (key, body) => {
    const version = await putIfAbsent(key, body)
    return key === headKey(SHA) && (await tellLost()) === true ? undefined : version
  }
  const state = testState({ storage })
  t.ok(await append1(state, ofFile('f', 'a', 'b')))
  t.strictSame(await linesIn(state), ['a', 'b'])
})
