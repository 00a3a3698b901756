import t from 'tap'
import { ChunkCursor, framePieces } from '../../src/source/zstd-frame.js'
import { unpackFrame } from '../../src/source/fzstd-frame.js'
import { collect } from './fixtures/reading.js'
import { LARGE, SMALL, STREAMED, UNCHECKED, type Frame } from './fixtures/zstd.js'

async function* each(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** Decompresses one frame with fzstd, even when Node has a zstd decoder of its own. */
async function unpacked(bytes: Buffer, maxBlockMs?: number): Promise<string> {
  const input = new ChunkCursor(each(bytes))
  return (await collect(unpackFrame(framePieces(input, await input.take(4)), maxBlockMs))).toString()
}

/** Copies of a frame, each with one bit flipped. Two bits of every byte are flipped in turn. */
function* damaged({ bytes }: Frame): Generator<Buffer> {
  for (let at = 4; at < bytes.length; at++)
    for (const mask of [0x10, 0x80])
      yield Buffer.concat([bytes.subarray(0, at), Buffer.of(bytes[at]! ^ mask), bytes.subarray(at + 1)])
}

t.test('frames are unpacked', async t => {
  for (const { text, bytes } of [SMALL, UNCHECKED, STREAMED, LARGE]) t.equal(await unpacked(bytes), text)
})

t.test('a damaged frame is noticed or gives the same text, and never holds the program up', async t => {
  const results = { same: 0, noticed: 0, 'ended by the time limit': 0, other: 0 }
  for (const bytes of damaged(STREAMED)) {
    const result = await unpacked(bytes, 100).catch(String)
    if (result === STREAMED.text) results.same++
    else if (/timed out/.test(result)) results['ended by the time limit']++
    else results[result.startsWith('{"kind"') ? 'other' : 'noticed']++
  }
  t.equal(results.other, 0)
  t.ok(results.noticed > 700, JSON.stringify(results))
  t.ok(results['ended by the time limit'] > 0, 'the limit has something to do')
})

t.test('a wrong checksum is called one', async t => {
  const { bytes } = SMALL
  for (const at of [1, 2, 3, 4]) {
    const wrong = Buffer.from(bytes)
    wrong[bytes.length - at] = wrong[bytes.length - at]! ^ 1
    await t.rejects(unpacked(wrong), { message: 'the checksum does not match' }, `${at} from the end`)
  }
})
