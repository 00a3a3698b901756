import t from 'tap'
import { upperTail } from '../../src/analysis/rank-test.js'

// From published tables of the normal distribution.
for (const [z, tail] of [
  [0, 0.5],
  [1, 0.15865525],
  [1.644853627, 0.05],
  [1.959963985, 0.025],
  [2.575829304, 0.005],
  [4.753424309, 1e-6],
  [-1.959963985, 0.975],
] as const)
  t.test(`the tail above ${z} is ${tail}`, async t => {
    t.ok(Math.abs(upperTail(z) / tail - 1) < 5e-7, String(upperTail(z)))
  })
