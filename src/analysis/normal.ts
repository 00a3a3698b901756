/** The tail of the normal distribution. */

/** Coefficients, from the constant term up, of a Chebyshev approximation of erfc (Numerical Recipes, `erfcc`). */
const COEFFICIENTS = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
]

/** The probability that a standard normal value exceeds `z`, with a relative error below 1.2e-7. */
export function upperTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + x / 2)
  const exponent = COEFFICIENTS.reduceRight((sum, coefficient) => sum * t + coefficient, 0) - x * x
  const tail = (t * Math.exp(exponent)) / 2
  return z >= 0 ? tail : 1 - tail
}
