import t from 'tap'
import { falseDiscoveryRates } from '../../src/analysis/judge.js'

t.test('the fifteen tests that Benjamini and Hochberg published: at 0.05 the first four', async t => {
  const ps = [
    ...[0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759],
    1,
  ]
  const qs = falseDiscoveryRates(ps)
  t.equal(qs.filter(q => q <= 0.05).length, 4)
  t.ok(Math.abs((qs[3] ?? 0) - (0.0095 * 15) / 4) < 1e-12)
})

t.test('the order of the tests is kept, and no q is below that of a smaller p', async t => {
  t.strictSame(falseDiscoveryRates([0.04, 0.01, 0.03]), [0.04, 0.03, 0.04])
  t.strictSame(falseDiscoveryRates([0.5]), [0.5])
  t.strictSame(falseDiscoveryRates([]), [])
})
