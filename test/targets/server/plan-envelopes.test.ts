import t, { type Test } from 'tap'
import { planEnvelopes, type EnvelopePlan, type FilePlan } from '../../../src/targets/server/plan-envelopes.js'
import { BLOCK_BYTES, blocksOf } from './fixtures/lines.js'

/** The plan of a text, checked to be the same for every block size. */
async function plan(t: Test, text: string, maxLineBytes = 1_000_000): Promise<FilePlan> {
  const options = { maxLineBytes }
  const plans: FilePlan[] = []
  for (const blockBytes of BLOCK_BYTES) plans.push(await planEnvelopes(blocksOf(text, blockBytes).lines(), options))
  for (const [index, one] of plans.entries())
    t.strictSame(one, plans[0], `blocks of ${BLOCK_BYTES[index]} bytes give the same plan`)
  return plans[0]!
}

const shape = ({ envelopes }: FilePlan): unknown => envelopes.map(({ start, end, records }) => [start, end, records])

t.test('a file that fits is one envelope', async t => {
  t.strictSame(shape(await plan(t, '1\n22\n333\n')), [[0, 9, 3]])
})

t.test('a file without records is one envelope without records', async t => {
  for (const text of ['', '\n', '\r\n', ' \t\r\n\n\n', '  ']) t.strictSame(shape(await plan(t, text)), [[0, 0, 0]])
})

t.test('lines end in LF or CRLF, the last one perhaps in nothing', async t => {
  t.strictSame(shape(await plan(t, '1\r\n22\r\n')), [[0, 7, 2]])
  t.strictSame(shape(await plan(t, '1\r\n22')), [[0, 6, 2]], 'a line feed is added to the last one')
})

t.test('blank lines count no records, and only those between records are in the envelope', async t => {
  t.strictSame(shape(await plan(t, '\n \t\r\n1\n\n  \n22\n\n\n')), [[5, 14, 2]])
})

t.test('files are split at the exact byte where lines no longer fit', async t => {
  const text = '1234\n1234\n1234\n'
  t.strictSame(shape(await plan(t, text, 15)), [[0, 15, 3]])
  t.strictSame(shape(await plan(t, text, 14)), [
    [0, 10, 2],
    [10, 15, 1],
  ])
  t.strictSame(shape(await plan(t, text, 10)), [
    [0, 10, 2],
    [10, 15, 1],
  ])
  t.strictSame(shape(await plan(t, text, 9)), [
    [0, 5, 1],
    [5, 10, 1],
    [10, 15, 1],
  ])
})

t.test('blank lines count for the size between records, but not at the start or end of an envelope', async t => {
  const text = '1234\n\n\n1234\n'
  t.strictSame(shape(await plan(t, text, 12)), [[0, 12, 2]])
  t.strictSame(shape(await plan(t, text, 11)), [
    [0, 5, 1],
    [7, 12, 1],
  ])
})

t.test(
  'a record of exactly the maximum size fits, and one that is a byte larger is reported with its line',
  async t => {
    const fits = await plan(t, '\n1234\n', 5)
    t.strictSame(fits.tooLong, [])
    const { tooLong } = await plan(t, '12\n\n12345\n12\n123456', 5)
    t.strictSame(tooLong, [
      { number: 3, start: 4, end: 10 },
      { number: 5, start: 13, end: 20 },
    ])
  },
)

t.test('envelopes cover every record once, in order, for random files', async t => {
  for (let seed = 1; seed <= 200; seed++) {
    const lines = Array.from(
      { length: seed % 17 },
      (_, i) => ['', ' ', 'x'.repeat(((seed * 7 + i * 5) % 9) + 1)][(seed + i) % 3]!,
    )
    const text = lines.join('\n')
    const { envelopes } = await planEnvelopes(blocksOf(text, (seed % 5) + 1).lines(), { maxLineBytes: 12 })
    const within = ({ start, end }: EnvelopePlan): string[] => `${text}\n`.slice(start, end).split('\n')
    const records = envelopes.flatMap(within).filter(line => line.trim() !== '')
    const wanted = lines.filter(line => line.trim() !== '')
    if (JSON.stringify(records) !== JSON.stringify(wanted)) t.strictSame(records, wanted, text)
    if (envelopes.some(({ start, end }) => end - start > 12)) t.fail(`an envelope of ${text} is too large`)
  }
  t.pass()
})
