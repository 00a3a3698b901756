/** The distribution of standardized differences between commits that did not change, learnt from a history. */

import { twoSidedP } from './student.js'

/** One prediction of a known value. */
export type Backtest = {
  /** The distance from the prediction in standard deviations. */
  readonly z: number
  /** Whether the value also lies beyond all earlier ones and differs from the previous one, as a change must. */
  readonly isClear: boolean
}

export type NullDistribution = {
  /** The two-sided p-value of a standardized difference. */
  readonly p: (z: number) => number
  /** The smallest standardized difference with a p-value below a limit. */
  readonly critical: (limit: number) => number
}

/** Degrees of freedom without backtests. There are few, because the standard deviations are then uncertain. */
const MIN_DOF = 4
const DOF_CHOICES = [4, 5, 6, 8, 10, 14, 20, 30, 50, 100]
/** Number of backtests that justify one degree of freedom. */
const BACKTESTS_PER_DOF = 20
/** A difference that does not meet the other conditions counts as at most this much, because it would not be reported. */
const NOT_CLEAR = 2.5
const ROUNDS = 15

/**
 * Fits Student's t distribution to the backtests by maximum likelihood. A p-value is also never below the share of backtests that
 * were as extreme, because outliers need not follow that distribution.
 */
export function fitNull(backtests: readonly Backtest[]): NullDistribution {
  const zs = Float64Array.from(backtests, ({ z, isClear }) => (isClear ? z : Math.min(Math.abs(z), NOT_CLEAR)))
  const fits = DOF_CHOICES.filter(dof => dof <= Math.max(MIN_DOF, zs.length / BACKTESTS_PER_DOF))
  const { dof, scale } = fits.map(dof => fit(zs, dof)).reduce((a, b) => (b.likelihood > a.likelihood ? b : a))
  const clear = backtests.flatMap(({ z, isClear }) => (isClear ? [Math.abs(z)] : [])).sort((a, b) => b - a)
  const p = (z: number): number => {
    const firstBelow = clear.findIndex(seen => seen < Math.abs(z))
    const beyond = firstBelow === -1 ? clear.length : firstBelow
    // The most extreme backtest is not counted, because it alone would hide every change among many series.
    const seen = zs.length === 0 ? 0 : (beyond - 1) / zs.length
    return Math.max(twoSidedP(z / scale, dof), seen)
  }
  return { p, critical: limit => criticalValue(p, limit) }
}

type Fit = { readonly dof: number; readonly scale: number; readonly likelihood: number }

function fit(zs: Float64Array, dof: number): Fit {
  if (zs.length === 0) return { dof, scale: 1, likelihood: 0 }
  let square = 1
  for (let round = 0; round < ROUNDS; round++) {
    const weighted = zs.reduce((sum, z) => sum + ((dof + 1) * z * z) / (dof + (z * z) / square), 0)
    square = Math.max(weighted / zs.length, 0.25)
  }
  const scale = Math.sqrt(square)
  const likelihood = zs.reduce(
    (sum, z) => sum - ((dof + 1) / 2) * Math.log1p((z * z) / square / dof),
    Math.log(peakDensity(dof) / scale) * zs.length,
  )
  return { dof, scale, likelihood }
}

const STEP = 1e-3

/** The density of Student's t distribution at 0. */
function peakDensity(dof: number): number {
  return (1 - twoSidedP(STEP, dof)) / (2 * STEP)
}

/** The smallest argument at which a falling function is below a limit. */
function criticalValue(p: (z: number) => number, limit: number): number {
  let [low, high] = [0, 1]
  while (p(high) >= limit) high *= 2
  while (high - low > 1e-3 * high) {
    const middle = (low + high) / 2
    if (p(middle) < limit) high = middle
    else low = middle
  }
  return high
}
