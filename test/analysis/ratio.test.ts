import t from 'tap'
import { geometricMean, valueRatio } from '../../src/analysis/judge.js'

t.test('only positive values have a ratio; equal values are unchanged', async t => {
  t.equal(valueRatio(2n, 3n), 1.5)
  t.equal(valueRatio(9223372036854775807n, 9223372036854775807n), 1)
  t.equal(valueRatio(0n, 0n), 1)
  t.equal(valueRatio(0n, 5n), undefined)
  t.equal(valueRatio(5n, 0n), undefined)
  t.equal(valueRatio(-5n, 5n), undefined)
})

t.test('twice and half as large make up for each other', async t => {
  t.equal(geometricMean([2, 0.5]), 1)
  t.ok(Math.abs((geometricMean([1, 2, 4]) ?? 0) - 2) < 1e-12)
  t.equal(geometricMean([]), undefined)
})
