/** The tails of Student's t distribution, precise also far out, where tests of many series need them. */

/** The probability that |t| is at least this large by chance. @param dof degrees of freedom, above 0 */
export function twoSidedP(t: number, dof: number): number {
  if (!Number.isFinite(t)) return 0
  return incompleteBeta(dof / (dof + t * t), dof / 2)
}

const LANCZOS = [
  76.18009172947146, -86.50532032941677, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2,
  -0.5395239384953e-5,
]

/** The logarithm of the gamma function (Numerical Recipes, `gammln`). */
function logGamma(x: number): number {
  const base = x + 5.5
  const sum = LANCZOS.reduce((total, coefficient, index) => total + coefficient / (x + index + 1), 1.000000000190015)
  return Math.log((2.5066282746310005 * sum) / x) - base + (x + 0.5) * Math.log(base)
}

/** The regularised incomplete beta function for the second parameter 1/2. */
function incompleteBeta(x: number, a: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const b = 0.5
  const logFactor = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x)
  // The continued fraction converges fast below this point, and by symmetry above it.
  if (x < (a + 1) / (a + b + 2)) return (Math.exp(logFactor) * betaFraction(x, a, b)) / a
  return 1 - (Math.exp(logFactor) * betaFraction(1 - x, b, a)) / b
}

const MAX_STEPS = 300
const TINY = 1e-300

/** The continued fraction of the incomplete beta function, by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  const nonZero = (value: number): number => (Math.abs(value) < TINY ? TINY : value)
  let c = 1
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1))
  let result = d
  for (let step = 1; step <= MAX_STEPS; step++) {
    const even = (step * (b - step) * x) / ((a + 2 * step - 1) * (a + 2 * step))
    d = 1 / nonZero(1 + even * d)
    c = nonZero(1 + even / c)
    result *= d * c
    const odd = (-(a + step) * (a + b + step) * x) / ((a + 2 * step) * (a + 2 * step + 1))
    d = 1 / nonZero(1 + odd * d)
    c = nonZero(1 + odd / c)
    result *= d * c
    if (Math.abs(d * c - 1) < 1e-14) break
  }
  return result
}
