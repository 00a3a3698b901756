import t from 'tap'
import { twoSidedP } from '../../src/analysis/student.js'

// From scipy.stats.t.sf.
for (const [value, dof, p] of [
  [2, 10, 0.07338803477074039],
  [5, 3, 0.015392438073302296],
  [10, 30, 4.5752514082296097e-11],
  [0.1, 1, 0.9365489651348929],
  [-40, 12, 3.851229580772037e-14],
  [3, 500, 0.0028344918128511394],
] as const)
  t.test(`the p-value of t = ${value} with ${dof} degrees of freedom is ${p}`, async t => {
    t.ok(Math.abs(twoSidedP(value, dof) / p - 1) < 1e-9, String(twoSidedP(value, dof)))
  })
