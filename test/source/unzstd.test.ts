import t from 'tap'
import { jsHash64 } from '../../src/contract/hash64.js'
import { unzstd } from '../../src/source/unzstd.js'
import { Random } from '../fixtures/random.js'
import { collect } from './fixtures/reading.js'
import { FRAMES, LARGE, PARALLEL, SMALL, STREAMED, UNCHECKED } from './fixtures/zstd.js'

async function* each(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces
}

const unpacked = async (...pieces: readonly Buffer[]): Promise<string> =>
  (await collect(unzstd(each(pieces)))).toString()
const outcome = (bytes: Buffer): Promise<string> => unpacked(bytes).catch((error: unknown) => `error: ${String(error)}`)

for (const [name, { text, bytes }] of Object.entries(FRAMES))
  t.test(`a frame is read however its bytes come: ${name}`, async t => {
    t.equal(await unpacked(bytes), text, 'in one piece')
    t.equal(await unpacked(...[...bytes].map(byte => Buffer.of(byte))), text, 'a byte at a time')
    for (const largest of [2, 5, 20])
      t.equal(await unpacked(...new Random().pieces(bytes, largest)), text, `up to ${largest}`)
  })

t.test('frames in a row are read to the last, as concatenated files are', async t => {
  const frames = [SMALL, PARALLEL, UNCHECKED, LARGE, STREAMED, SMALL]
  const text = frames.map(frame => frame.text).join('')
  t.equal(await unpacked(Buffer.concat(frames.map(({ bytes }) => bytes))), text)
})

t.test('frames to skip are skipped, whatever the low bits of their magic number', async t => {
  const skippable = (low: number, content: string): Buffer => {
    const head = Buffer.from([0x50 + low, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
    head.writeUInt32LE(content.length, 4)
    return Buffer.concat([head, Buffer.from(content)])
  }
  const bytes = [skippable(0, ''), SMALL.bytes, skippable(15, 'x'.repeat(500)), SMALL.bytes, skippable(7, 'end')]
  t.equal(await unpacked(...bytes), SMALL.text + SMALL.text)
  await t.rejects(unpacked(skippable(3, 'abc').subarray(0, -1)), { message: 'unexpected end of file' })
})

t.test('nothing is nothing', async t => {
  t.equal(await unpacked(), '')
})

t.test('a frame that is cut anywhere is noticed', async t => {
  for (const { bytes } of [SMALL, UNCHECKED, LARGE]) {
    const unnoticed: number[] = []
    for (let length = 1; length < bytes.length; length++)
      if ((await outcome(bytes.subarray(0, length))) !== 'error: Error: unexpected end of file') unnoticed.push(length)
    t.strictSame(unnoticed, [])
  }
})

t.test('a second frame that is cut is noticed as well', async t => {
  for (const length of [1, 3, 4, 5, 50, SMALL.bytes.length - 1])
    await t.rejects(unpacked(SMALL.bytes, SMALL.bytes.subarray(0, length)), { message: 'unexpected end of file' })
})

t.test('what follows a frame and is none is refused, zeros too', async t => {
  for (const rest of ['{"kind":"x"}\n', '\0\0\0\0\0\0\0\0'])
    await t.rejects(unpacked(SMALL.bytes, Buffer.from(rest)), { message: 'other bytes follow the compressed ones' })
})

t.test('a changed byte never gives other text where there is a checksum', async t => {
  const { bytes, text } = SMALL
  const wrong: unknown[] = []
  let noticed = 0
  for (let at = 0; at < bytes.length; at++)
    for (const mask of [0x10, 0xff]) {
      const result = await outcome(changed(bytes, at, mask))
      if (result.startsWith('error: ')) noticed++
      else if (result !== text) wrong.push([at, mask])
    }
  t.strictSame(wrong, [])
  t.ok(noticed > bytes.length * 1.8, `${noticed} of ${bytes.length * 2} were noticed`)
})

t.test('a window of more than 128 MiB is not given room', async t => {
  const magic = SMALL.bytes.subarray(0, 4)
  const refused = { message: 'it needs a window of more than 128 MiB' }
  await t.rejects(unpacked(magic, Buffer.from([0, 0b10010_000])), refused, 'a window of 256 MiB')
  await t.rejects(unpacked(magic, Buffer.from([0, 0b10001_001])), refused, 'a window of 144 MiB')
  await t.rejects(
    unpacked(magic, Buffer.from([0b10_1_00000, 1, 0, 0, 8])),
    refused,
    'one segment of 128 MiB and a byte',
  )
  await t.rejects(unpacked(magic, Buffer.from([0b11_1_00000, 0, 0, 0, 0, 1, 0, 0, 0])), refused, 'one of 4 GiB')
  await t.rejects(unpacked(magic, Buffer.from([0b11_1_00000, 0, 0, 0, 0, 0, 0, 0, 1])), refused, 'one of 2^56 bytes')
  t.equal(await unpacked(magic, Buffer.from([0, 0b10001_000]), blocks(3)), 'hello hello ---', '128 MiB are')
})

t.test('headers of every form are read', async t => {
  const hash = await jsHash64()
  for (const single of [true, false])
    for (const sizeFlag of [0, 1, 2, 3])
      for (const checked of [true, false]) {
        // A content size of one byte ends at 255; one of two bytes starts at 256.
        const repeats = sizeFlag === 1 ? 300 : 30
        const content = `hello hello ${'-'.repeat(repeats)}`
        const checksum = Buffer.alloc(checked ? 4 : 0)
        if (checked) checksum.writeUInt32LE(Number(hash(Buffer.from(content)) & 0xffffffffn))
        const bytes = Buffer.concat([header({ single, sizeFlag, checked }, content.length), blocks(repeats), checksum])
        const what = JSON.stringify({ single, sizeFlag, checked })
        t.equal(await unpacked(bytes, SMALL.bytes), content + SMALL.text, what)
      }
})

function changed(bytes: Buffer, at: number, mask: number): Buffer {
  const damaged = Buffer.from(bytes)
  damaged[at] = damaged[at]! ^ mask
  return damaged
}

/** A raw block with `hello hello `, an empty block, and a block that repeats one byte. */
function blocks(repeats: number): Buffer {
  const hello = Buffer.from('hello hello ')
  return Buffer.concat([
    blockHead(0, hello.length),
    hello,
    blockHead(0, 0),
    blockHead(1, repeats, true),
    Buffer.from('-'),
  ])
}

function blockHead(type: number, size: number, last = false): Buffer {
  const head = Buffer.alloc(3)
  head.writeUIntLE((size << 3) | (type << 1) | (last ? 1 : 0), 0, 3)
  return head
}

type Form = { readonly single: boolean; readonly sizeFlag: number; readonly checked: boolean }

/** A frame header. @see RFC 8878 section 3.1.1.1 */
function header({ single, sizeFlag, checked }: Form, length: number): Buffer {
  const descriptor = (sizeFlag << 6) | (single ? 0b100000 : 0) | (checked ? 0b100 : 0)
  const window = single ? [] : [0b01010_000]
  const size = Buffer.alloc([single ? 1 : 0, 2, 4, 8][sizeFlag]!)
  if (size.length > 0) size.writeUInt8(sizeFlag === 1 ? length - 256 : length)
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, ...window, ...size])
}
