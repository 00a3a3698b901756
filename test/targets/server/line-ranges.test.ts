import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { LineRanges } from '../../../src/targets/server/line-ranges.js'
import type { LineBlock } from '../../../src/source/lines.js'
import { BLOCK_BYTES, blocksOf } from './fixtures/lines.js'

const TEXT = 'a\nbb\nccc\ndddd\neeeee\n'

async function read(ranges: LineRanges, start: number, end: number): Promise<string> {
  let text = ''
  for await (const piece of ranges.read({ start, end })) text += piece.toString()
  return text
}

t.test('every range of lines is read, wherever blocks end', async t => {
  const starts = [0, 2, 5, 9, 14, 20]
  for (const blockBytes of BLOCK_BYTES)
    for (const start of starts)
      for (const end of starts.filter(end => end >= start)) {
        const ranges = new LineRanges(blocksOf(TEXT, blockBytes).lines)
        const got = await read(ranges, start, end)
        await ranges.close()
        if (got !== TEXT.slice(start, end)) t.equal(got, TEXT.slice(start, end), `${start}–${end} in ${blockBytes}`)
      }
  t.pass()
})

t.test('adjacent ranges and ranges with a gap are read in one pass', async t => {
  for (const blockBytes of BLOCK_BYTES) {
    const blocks = blocksOf(TEXT, blockBytes)
    const ranges = new LineRanges(blocks.lines)
    t.equal(await read(ranges, 0, 5), 'a\nbb\n')
    t.equal(await read(ranges, 5, 9), 'ccc\n')
    t.equal(await read(ranges, 14, 20), 'eeeee\n')
    t.equal(blocks.opened, 1)
    await ranges.close()
    t.equal(blocks.closed, 1)
  }
})

t.test('a range can be read again, from the start of the file if its block is no longer held', async t => {
  const blocks = blocksOf(TEXT, 2)
  const ranges = new LineRanges(blocks.lines)
  await read(ranges, 0, 14)
  t.equal(await read(ranges, 2, 9), 'bb\nccc\n')
  t.equal(blocks.opened, 2)
  t.equal(blocks.closed, 1, 'the reader that was given up is closed')
  t.equal(await read(ranges, 9, 20), 'dddd\neeeee\n', 'and goes on from there')
  t.equal(blocks.opened, 2)
  await ranges.close()
  t.equal(blocks.closed, 2)
})

t.test('a range whose block is still held is read again without reopening the file', async t => {
  const blocks = blocksOf(TEXT)
  const ranges = new LineRanges(blocks.lines)
  t.equal(await read(ranges, 2, 9), 'bb\nccc\n')
  t.equal(await read(ranges, 2, 9), 'bb\nccc\n')
  t.equal(blocks.opened, 1)
  await ranges.close()
})

t.test('an empty range yields nothing', async t => {
  const blocks = blocksOf('')
  const ranges = new LineRanges(blocks.lines)
  t.equal(await read(ranges, 0, 0), '')
  await ranges.close()
  t.equal(blocks.closed, blocks.opened)
})

t.test('a range that was abandoned in the middle can be read again', async t => {
  const blocks = blocksOf(TEXT, 2)
  const ranges = new LineRanges(blocks.lines)
  for await (const piece of ranges.read({ start: 0, end: 20 })) if (piece.includes('ccc')) break
  t.equal(await read(ranges, 0, 20), TEXT)
  await ranges.close()
  t.equal(blocks.closed, blocks.opened)
})

t.test('a late block of an abandoned read is not mistaken for the next block', async t => {
  const late = new AbortController()
  let opened = 0
  const lines = async function* (): AsyncGenerator<LineBlock> {
    const first = opened++ === 0
    for (const [index, line] of ['a\n', 'bb\n', 'ccc\n'].entries()) {
      if (first && index === 2) await once(late.signal, 'abort')
      yield { bytes: Buffer.from(line), firstByte: [0, 2, 5][index]!, tooLong: false }
    }
  }
  const ranges = new LineRanges(lines)
  const givenUp = ranges.read({ start: 0, end: 9 })
  await givenUp.next()
  await givenUp.next()
  const waiting = givenUp.next()
  const next = ranges.read({ start: 0, end: 9 })
  const started = next.next()
  await setImmediate()
  late.abort()
  let text = ((await started).value as Buffer).toString()
  await waiting
  for await (const piece of next) text += piece.toString()
  t.equal(text, 'a\nbb\nccc\n')
  await ranges.close()
})

t.test('a read that was abandoned while waiting does not disturb the next one', async t => {
  const blocks = blocksOf(TEXT, 2)
  const ranges = new LineRanges(blocks.lines)
  const first = ranges.read({ start: 0, end: 20 })
  await first.next()
  await first.next()
  const waiting = first.next()
  const second = read(ranges, 0, 20)
  const givenUp = first.return(undefined)
  t.equal(await second, TEXT)
  await waiting
  await givenUp
  await ranges.close()
  t.equal(blocks.closed, blocks.opened)
})

t.test('a file that has become shorter yields its remaining bytes', async t => {
  const ranges = new LineRanges(blocksOf('a\n', 2).lines)
  t.equal(await read(ranges, 0, 20), 'a\n')
  await ranges.close()
})
