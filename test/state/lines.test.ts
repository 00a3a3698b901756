import t from 'tap'
import { lineBlocks } from '../../src/source/lines.js'
import { chunkReader } from '../../src/source/byte-reader.js'
import { OBJECT_BYTES, parseLinesOwner, readLines, storeLines } from '../../src/state/lines.js'
import { SHA } from '../fixtures/records.js'
import { blocksOf, keysOf, owner, testState, textsOf } from './fixtures/state.js'

const blocksFrom = (text: string): ReturnType<typeof lineBlocks> =>
  lineBlocks(
    chunkReader(
      (async function* () {
        yield Buffer.from(text)
      })(),
      () => Promise.resolve(),
    ),
  )

t.test('lines are read back unchanged, including blank lines and carriage returns', async t => {
  const state = testState()
  const lines = ['{"a":1}', '', ' \r', 'Zoë\r', 'x'.repeat(1000)]
  const objects = await storeLines(state, SHA, blocksOf(...lines))
  t.strictSame(await textsOf(readLines(state.storage, objects)), lines)
  t.equal(objects.length, 1)
})

t.test('an empty batch stores no object', async t => {
  const state = testState()
  t.strictSame(await storeLines(state, SHA, blocksOf()), [])
  t.strictSame(await keysOf(state), [])
})

t.test('large input is split into objects of bounded size, and byte offsets continue across them', async t => {
  const state = testState()
  const line = 'y'.repeat(999)
  const count = Math.ceil((OBJECT_BYTES * 2.5) / 1000)
  const objects = await storeLines(state, SHA, blocksFrom(`${line}\n`.repeat(count)))
  t.equal(objects.length, 3)
  t.ok(objects.every(({ bytes }) => bytes <= OBJECT_BYTES))
  let next = 0
  for await (const { bytes, firstByte } of readLines(state.storage, objects)) {
    if (firstByte !== next || bytes.at(-1) !== 0x0a) t.fail(`block at ${firstByte}, expected ${next}`)
    next += bytes.length
  }
  t.equal(next, count * 1000)
})

t.test('a line longer than a block is returned whole', async t => {
  const state = testState()
  const long = 'z'.repeat(700_000)
  const objects = await storeLines(state, SHA, blocksFrom(`a\n${long}\nb\n`))
  t.strictSame(await textsOf(readLines(state.storage, objects)), ['a', long, 'b'])
})

t.test('a changed object is refused and named before any of its lines is returned', async t => {
  const state = testState()
  const [object] = await storeLines(state, SHA, blocksOf('{"a":1}', '{"a":2}'))
  const whole = (await state.storage.get(object!.key))!
  const flipped = Buffer.from(whole)
  flipped[flipped.length - 3]! ^= 1
  const bodies: readonly (readonly [Buffer, RegExp])[] = [
    [whole.subarray(0, -1), /of \d+ bytes/],
    [whole.subarray(0, 10), /not JSON|of \d+ bytes/],
    [Buffer.alloc(0), /not JSON/],
    [flipped, /does not match its digest/],
    [Buffer.concat([whole, Buffer.from('{"a":3}\n')]), /of \d+ bytes/],
  ]
  for (const [body, message] of bodies) {
    await state.storage.put(object!.key, body)
    let given = 0
    const reading = (async () => {
      for await (const _ of readLines(state.storage, [object!])) given++
    })()
    await t.rejects(reading, { code: 'state_corrupt', message })
    await t.rejects(reading, { message: new RegExp(`^${object!.key} in `) })
    t.equal(given, 0)
  }
  await state.storage.delete(object!.key)
  await t.rejects(textsOf(readLines(state.storage, [object!])), {
    code: 'state_corrupt',
    message: /the object is missing/,
  })
})

t.test('an object of a newer version is refused with state_version', async t => {
  const state = testState()
  const [object] = await storeLines(state, SHA, blocksOf('{}'))
  const whole = (await state.storage.get(object!.key))!.toString()
  await state.storage.put(object!.key, Buffer.from(whole.replace('"version":1', '"version":2')))
  await t.rejects(textsOf(readLines(state.storage, [object!])), { code: 'state_version', message: /version 2/ })
})

t.test('an object names the process that stored it', async t => {
  const state = testState({ owner: owner('a-host') })
  const [object] = await storeLines(state, SHA, blocksOf('{}'))
  t.strictSame(parseLinesOwner((await state.storage.get(object!.key))!, 'here'), owner('a-host'))
})
