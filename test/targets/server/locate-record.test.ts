import t from 'tap'
import { locateRecord, planEnvelopes } from '../../../src/targets/server/plan-envelopes.js'
import { BLOCK_BYTES, blocksOf } from './fixtures/lines.js'

const TEXT = '\n1\r\n \t\r\n22\n\n\n333\n4444'

t.test('a record of an envelope is found with its line and bytes, wherever blocks end', async t => {
  for (const blockBytes of BLOCK_BYTES) {
    const whole = { start: 1, end: 22 }
    const at = (index: number): Promise<unknown> => locateRecord(blocksOf(TEXT, blockBytes).lines(), whole, index)
    t.strictSame(await at(0), { number: 2, start: 1, end: 4 })
    t.strictSame(await at(1), { number: 4, start: 8, end: 11 })
    t.strictSame(await at(2), { number: 7, start: 13, end: 17 })
    t.strictSame(await at(3), { number: 8, start: 17, end: 22 })
  }
})

t.test('records are counted from the start of their own envelope, and not beyond its end', async t => {
  const options = { maxLineBytes: 10 }
  const { envelopes } = await planEnvelopes(blocksOf(TEXT).lines(), options)
  const lines = await Promise.all(
    envelopes.map(async envelope => [
      (await locateRecord(blocksOf(TEXT).lines(), envelope, 0))?.number,
      (await locateRecord(blocksOf(TEXT).lines(), envelope, 1))?.number,
    ]),
  )
  t.strictSame(lines, [
    [2, 4],
    [7, 8],
  ])
})

t.test('a record that the envelope does not have is not found', async t => {
  const blocks = blocksOf(TEXT)
  t.equal(await locateRecord(blocks.lines(), { start: 1, end: 11 }, 2), undefined)
  t.equal(await locateRecord(blocks.lines(), { start: 1, end: 22 }, 4), undefined)
  t.equal(await locateRecord(blocks.lines(), { start: 1, end: 22 }, -1), undefined)
  t.equal(blocks.closed, blocks.opened, 'and the file is closed')
})
