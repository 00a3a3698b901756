/**
 * Predicts the next value of a series and how far it may be from the prediction. All values are logarithms, oldest first, without
 * gaps and without the effects of jobs.
 */

import { median, medianVariance, robustDeviation } from './robust.js'

/** Maximum number of values from which the level of a series is computed. Fewer would follow noise, more would lag behind a slow drift. */
export const RECENT = 10
/** The expected deviation counts as this many differences when it is averaged with the measured ones. */
const EXPECTED_WEIGHT = 8
/** Differences beyond this many standard deviations count as this many. */
const CLIP = 3
/** A level lasts for at least three values, and is this many standard deviations away from the level before it. */
const CUT = { minLength: 3, deviations: 4 }
/** A new level begins with the last value when it is this many standard deviations away from those before it. */
const NEWEST_LEVEL = 3

/** The differences between neighbouring values, divided by √2, so that they spread as the values do. */
export function neighbourDifferences(values: Float64Array): Float64Array {
  return values.subarray(1).map((value, index) => (value - values[index]!) / Math.SQRT2)
}

/** The standard deviation of one value, shrunk towards an expected deviation. */
export class Spread {
  readonly #squares: Float64Array
  readonly #sum: number

  constructor(
    values: Float64Array,
    readonly expected: number,
  ) {
    const differences = neighbourDifferences(values)
    const clip = CLIP * Math.max(robustDeviation(differences, 0) || 0, expected)
    this.#squares = differences.map(difference => Math.min(Math.abs(difference), clip) ** 2)
    this.#sum = this.#squares.reduce((sum, square) => sum + square, 0)
  }

  get deviation(): number {
    return this.#shrunk(this.#sum, this.#squares.length)
  }

  /** The standard deviation without what one value contributes. */
  deviationWithout(index: number): number {
    const [before, after] = [this.#squares[index - 1], this.#squares[index]]
    const count = this.#squares.length - (before === undefined ? 0 : 1) - (after === undefined ? 0 : 1)
    return this.#shrunk(Math.max(0, this.#sum - (before ?? 0) - (after ?? 0)), count)
  }

  #shrunk(squares: number, count: number): number {
    return Math.sqrt((EXPECTED_WEIGHT * this.expected ** 2 + squares) / (EXPECTED_WEIGHT + count))
  }
}

/** The indexes at which levels begin: 0 and the change points. */
export function levelStarts(values: Float64Array, deviation: number): readonly number[] {
  return [0, ...changePlaces(values, deviation, 0)]
}

function changePlaces(values: Float64Array, deviation: number, offset: number): readonly number[] {
  let [farthest, place] = [CUT.deviations * deviation, -1]
  for (let split = CUT.minLength; split <= values.length - CUT.minLength; split++) {
    const apart = Math.abs(median(values.subarray(split)) - median(values.subarray(0, split)))
    const distance = apart / Math.sqrt(medianVariance(split) + medianVariance(values.length - split))
    if (distance > farthest) [farthest, place] = [distance, split]
  }
  if (place === -1) return []
  const left = changePlaces(values.subarray(0, place), deviation, offset)
  return [...left, offset + place, ...changePlaces(values.subarray(place), deviation, offset + place)]
}

export type Prediction = {
  readonly level: number
  /** The variance of the level, as a multiple of that of one value. */
  readonly variance: number
}

/** Predicts the next value from at least one value of one level. */
export function predict(level: Float64Array, deviation: number): Prediction {
  const recent = level.subarray(-RECENT)
  const last = recent.at(-1)!
  const earlier = recent.subarray(0, -1)
  const apart = Math.abs(last - median(earlier)) / Math.sqrt(1 + medianVariance(earlier.length))
  if (earlier.length === 0 || apart > NEWEST_LEVEL * deviation) return { level: last, variance: 1 }
  return { level: median(recent), variance: medianVariance(recent.length) }
}
