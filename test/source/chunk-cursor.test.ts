import t from 'tap'
import { ChunkCursor } from '../../src/source/zstd-frame.js'
import { Random, SEED } from '../fixtures/random.js'

async function* each(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces
}

t.test(`exactly what is asked for is taken, however the chunks fall (seed ${SEED})`, async t => {
  const random = new Random()
  const bytes = random.bytes(2_000)
  for (const largest of [1, 3, 50, 5_000]) {
    const cursor = new ChunkCursor(each(random.pieces(bytes, largest)))
    const taken: Buffer[] = []
    for (let at = 0; at < bytes.length;) {
      const count = Math.min(random.int(0, 40), bytes.length - at)
      if (random.chance(0.2)) {
        await cursor.skip(count)
        taken.push(bytes.subarray(at, at + count))
      } else taken.push(await cursor.take(count))
      at += count
    }
    t.ok(Buffer.concat(taken).equals(bytes), `chunks of up to ${largest}`)
    t.equal(await cursor.hasMore(), false)
  }
})

t.test('what is not there cannot be taken or skipped', async t => {
  const message = 'unexpected end of file'
  await t.rejects(new ChunkCursor(each([Buffer.from('abc')])).take(4), { message })
  await t.rejects(new ChunkCursor(each([Buffer.from('abc')])).skip(4), { message })
  await t.rejects(new ChunkCursor(each([])).take(1), { message })
  t.equal((await new ChunkCursor(each([])).take(0)).length, 0)
})

t.test('empty chunks are no end', async t => {
  const cursor = new ChunkCursor(each(['', '', 'a', ''].map(text => Buffer.from(text))))
  t.equal(await cursor.hasMore(), true)
  t.equal((await cursor.take(1)).toString(), 'a')
  t.equal(await cursor.hasMore(), false)
})
