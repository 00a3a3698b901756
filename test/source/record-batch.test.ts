import t from 'tap'
import { CONTRACT } from '../../src/contract/kinds.js'
import { ALL_VERSIONS } from '../../src/contract/version-set.js'
import { ABSENT, RecordBatch, STRIDE } from '../../src/source/record-batch.js'

const SIZE = CONTRACT.kinds.findIndex(({ kind }) => kind === 'compression_size')

/** Adds a row in which only the first two fields are present. */
function addSide(batch: RecordBatch, commit: string, dataset: string, line: number): void {
  const base = batch.nextRow() * STRIDE
  batch.starts.fill(ABSENT, base, base + STRIDE)
  batch.setText(0, commit)
  batch.setText(1, dataset)
  batch.commitSide(SIZE, { line, start: line * 10 }, ALL_VERSIONS)
}

t.test('rows keep their text however many there are and however long it is', async t => {
  const batch = new RecordBatch()
  batch.reset(Buffer.alloc(0), 1000)
  const text = (line: number): string => `ü${'x'.repeat((line * 37) % 500)}`
  for (let line = 1; line <= 5_000; line++) addSide(batch, text(line), `d${line}`, line)
  const wrong = Array.from({ length: 5_000 }, (_, row) => row).filter(
    row =>
      batch.text(row, 0) !== text(row + 1) || batch.text(row, 1) !== `d${row + 1}` || batch.text(row, 2) !== undefined,
  )
  t.strictSame(wrong, [])
  t.equal(batch.count, 5_000)
  t.equal(batch.lines[4_999], 5_000)
  t.equal(batch.bytes[4_999], 51_000)
  t.equal(batch.ids.length, batch.kinds.length)
})

t.test('one text larger than all before it is kept', async t => {
  const batch = new RecordBatch()
  batch.reset(Buffer.alloc(0), 0)
  addSide(batch, 'a', 'x'.repeat(1_000_000), 1)
  addSide(batch, 'b', 'c', 2)
  t.equal(batch.text(0, 1)?.length, 1_000_000)
  t.equal(batch.text(1, 1), 'c')
})

t.test('a row points into the block or beside it, and says whether its text may hold control characters', async t => {
  const batch = new RecordBatch()
  batch.reset(Buffer.from('abc def'), 0)
  addSide(batch, 'x', 'y', 1)
  const base = batch.nextRow() * STRIDE
  batch.starts.set([4, 0], base)
  batch.ends.set([7, 3], base)
  batch.commit(SIZE, { line: 2, start: 0 }, ALL_VERSIONS)
  t.strictSame([batch.text(0, 0), batch.text(0, 1)], ['x', 'y'])
  t.strictSame([batch.text(1, 0), batch.text(1, 1)], ['def', 'abc'])
  t.strictSame(
    [0, 1].map(row => batch.mayHoldControls(row)),
    [true, false],
  )
  t.equal(batch.kindOf(1).kind, 'compression_size')
})

t.test('a reset batch is empty and starts its text anew, in the memory it has', async t => {
  const batch = new RecordBatch()
  batch.reset(Buffer.alloc(0), 0)
  addSide(batch, 'old', 'old', 1)
  batch.reset(Buffer.alloc(0), 500)
  t.equal(batch.count, 0)
  addSide(batch, 'new', '', 7)
  t.strictSame([batch.text(0, 0), batch.text(0, 1), batch.bytes[0]], ['new', '', 570])
  t.equal(batch.starts[0], 0)
})

t.test('a row of the block may stand where a row beside it stood before', async t => {
  const batch = new RecordBatch()
  batch.reset(Buffer.alloc(0), 0)
  addSide(batch, 'beside', '', 1)
  batch.reset(Buffer.from('within'), 0)
  const base = batch.nextRow() * STRIDE
  batch.starts[base] = 0
  batch.ends[base] = 6
  batch.commit(SIZE, { line: 1, start: 0 }, ALL_VERSIONS)
  t.equal(batch.text(0, 0), 'within')
  t.equal(batch.mayHoldControls(0), false)
})
