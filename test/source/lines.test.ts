import t from 'tap'
import type { ByteReader } from '../../src/source/byte-reader.js'
import { lineBlocks, type LineLimits } from '../../src/source/lines.js'
import { Random, SEED } from '../fixtures/random.js'
import { readerOf } from './fixtures/reading.js'

/** A line without its line feed, and its offset. The text is `too long` for a skipped line. */
type Line = readonly [byte: number, text: string]

const SMALL: LineLimits = { blockBytes: 8, maxLineBytes: 20 }

async function linesOf(pieces: Iterable<Buffer>, limits: LineLimits): Promise<Line[]> {
  const lines: Line[] = []
  for await (const { bytes, firstByte, tooLong } of lineBlocks(readerOf(pieces), limits)) {
    if (tooLong) lines.push([firstByte, 'too long'])
    else lines.push(...split(bytes.toString('latin1'), firstByte))
  }
  return lines
}

/** Splits a block into lines. Each line of a block ends with a line feed. */
function split(text: string, firstByte: number): Line[] {
  const lines: Line[] = []
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at)
    if (end < 0) throw new Error(`a block ends without a line feed: ${JSON.stringify(text)}`)
    lines.push([firstByte + at, text.slice(at, end)])
    at = end + 1
  }
  return lines
}

/** The expected lines, computed in the simplest possible way. */
function expectedLines(text: string, { maxLineBytes }: LineLimits): Line[] {
  const lines: Line[] = []
  const parts = text.split('\n')
  if (parts.at(-1) === '') parts.pop()
  for (let byte = 0, at = 0; at < parts.length; byte += parts[at++]!.length + 1)
    lines.push([byte, parts[at]!.length < maxLineBytes ? parts[at]! : 'too long'])
  return lines
}

/** The text in single bytes, in pairs of bytes, in one piece and in random pieces. */
function* feedings(text: string, random: Random): Generator<Buffer[]> {
  const bytes = Buffer.from(text, 'latin1')
  yield [...bytes].map(byte => Buffer.of(byte))
  yield Array.from({ length: Math.ceil(bytes.length / 2) }, (_, at) => bytes.subarray(at * 2, at * 2 + 2))
  yield [bytes]
  for (const largest of [3, 7, 8, 9, 30]) yield random.pieces(bytes, largest)
}

const max = 'x'.repeat(19)
const over = 'y'.repeat(20)
const far = 'z'.repeat(100)

const TEXTS: Readonly<Record<string, string>> = {
  'no bytes at all': '',
  'one line feed': '\n',
  'only line feeds': '\n\n\n\n\n\n\n\n\n\n\n\n',
  'one line': 'abc\n',
  'one line without a line feed': 'abc',
  'a last line without a line feed': 'abc\ndef',
  'carriage returns, which stay': 'abc\r\n\r\ndef\r\n',
  'blank lines between': '\n\nabc\n\n\ndef\n\n',
  'lines as long as a block': '1234567\n12345678\n123456789\n',
  'the longest line that is allowed, with its line feed': `a\n${max}\nb\n`,
  'the longest line that is allowed, at the end': `a\n${max}`,
  'a line one byte too long, in the middle': `a\n${over}\nb\n`,
  'a line one byte too long, first': `${over}\na\nb\n`,
  'a line one byte too long, last': `a\n${over}\n`,
  'a line one byte too long, last, without a line feed': `a\n${over}`,
  'a line one byte too long, alone': over,
  'a line far too long in the middle': `a\n${far}\nb\nc`,
  'a line far too long, alone': `${far}\n`,
  'overlong lines in a row': `${over}\n${far}\n${over}\n${far}\nb\n`,
  'overlong lines in a row at the end': `a\n${far}\n${over}`,
  'many short lines behind an overlong one': `${far}\n${'ab\n'.repeat(60)}`,
  'short lines of whole blocks behind an overlong one': `${far}\n${'1234567\n'.repeat(5)}`,
  'blank lines behind an overlong one': `${over}\n\n\n\n`,
  'one short line behind an overlong one': `${over}\nb\n`,
  'overlong and longest in turn': `${over}\n${max}\n${far}\n${max}\n${over}\n${max}\n`,
}

for (const [what, text] of Object.entries(TEXTS))
  t.test(`the lines are the same however the bytes come: ${what}`, async t => {
    const expected = expectedLines(text, SMALL)
    for (const pieces of feedings(text, new Random()))
      t.strictSame(await linesOf(pieces, SMALL), expected, `${pieces.length} pieces`)
  })

t.test(`random lines under random limits are the same however the bytes come (seed ${SEED})`, async t => {
  const random = new Random()
  const differences: unknown[] = []
  for (let round = 0; round < 100; round++) {
    const blockBytes = random.int(1, 40)
    const limits = { blockBytes, maxLineBytes: random.int(blockBytes, blockBytes * 5) }
    const lines = Array.from({ length: random.int(0, 40) }, () =>
      'x'.repeat(random.pick([0, 1, 5, 30, 70, 200, blockBytes])),
    )
    const text = lines.map(line => line.slice(random.int(0, 3))).join('\n') + random.pick(['', '\n'])
    const expected = JSON.stringify(expectedLines(text, limits))
    for (const pieces of feedings(text, random))
      if (JSON.stringify(await linesOf(pieces, limits)) !== expected) differences.push({ limits, text })
  }
  t.strictSame(differences, [])
})

t.test('by default a line of 16 MiB with its line feed is taken, and one more byte is too much', async t => {
  const longest = 16 * 1024 * 1024
  const text = Buffer.alloc(2 * longest + 3, 'x')
  for (const at of [1, longest + 1, 2 * longest + 2]) text[at] = 0x0a
  const blocks: unknown[] = []
  for await (const { bytes, firstByte, tooLong } of lineBlocks(readerOf([text])))
    blocks.push(tooLong ? { firstByte, tooLong } : { firstByte, bytes: bytes.length })
  t.strictSame(blocks, [
    { firstByte: 0, bytes: 2 },
    { firstByte: 2, bytes: longest },
    { firstByte: longest + 2, tooLong: true },
  ])
})

t.test('a block is read while the one before is worked on, and still holds what it held', async t => {
  const text = Array.from({ length: 200 }, (_, at) => `line ${at}\n`).join('')
  const seen: string[] = []
  for await (const { bytes } of lineBlocks(readerOf(new Random().pieces(Buffer.from(text), 13)), SMALL)) {
    await new Promise(resolve => setImmediate(resolve))
    seen.push(bytes.toString())
  }
  t.equal(seen.join(''), text)
})

t.test('a failed read is met after the blocks before it, and the reader is closed', async t => {
  const { reader, closed } = watched(async function* () {
    yield Buffer.from('abc\ndef\n')
    await Promise.resolve()
    throw new Error('the disk is gone')
  })
  const seen: string[] = []
  const reading = async (): Promise<void> => {
    for await (const { bytes } of lineBlocks(reader, SMALL)) {
      // Long enough for reading ahead to fail before anything waits for its result.
      await new Promise(resolve => setTimeout(resolve, 10))
      seen.push(bytes.toString())
    }
  }
  await t.rejects(reading(), { message: 'the disk is gone' })
  t.strictSame(seen, ['abc\ndef\n'])
  t.equal(closed(), 1)
})

t.test('a read that fails behind an overlong line is met too', async t => {
  const { reader, closed } = watched(async function* () {
    yield Buffer.from(far)
    throw new Error('the disk is gone')
  })
  await t.rejects(lineBlocks(reader, SMALL).next(), { message: 'the disk is gone' })
  t.equal(closed(), 1)
})

t.test('the reader is closed once at the end, and when the consumer has had enough', async t => {
  for (const enough of [1, Infinity]) {
    let pending = 0
    const { reader, closed } = watched(async function* () {
      for (let at = 0; at < 20; at++) {
        pending++
        await new Promise(resolve => setImmediate(resolve))
        pending--
        yield Buffer.from('abc\n')
      }
    })
    let blocks = 0
    for await (const _ of lineBlocks(reader, SMALL)) if (++blocks === enough) break
    t.equal(closed(), 1)
    t.equal(pending, 0, 'no read is left under way')
  }
})

/** A reader that counts how often it is closed. */
function watched(chunks: () => AsyncGenerator<Buffer>): { reader: ByteReader; closed: () => number } {
  let closed = 0
  const iterator = chunks()
  let rest: Buffer = Buffer.alloc(0)
  const reader: ByteReader = {
    async read(into, offset) {
      if (rest.length === 0) {
        const next = await iterator.next()
        if (next.done === true) return 0
        rest = next.value
      }
      const count = rest.copy(into, offset)
      rest = rest.subarray(count)
      return count
    },
    async close() {
      closed++
    },
  }
  return { reader, closed: () => closed }
}
