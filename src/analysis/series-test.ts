/**
 * Tests the newest value of a series against those before it, and repeats the test for each earlier value, to learn how large the
 * differences between commits are that did not change the series.
 */

import type { Backtest } from './null-distribution.js'
import { levelStarts, predict, Spread } from './series-noise.js'

/** A value is predicted from at least this many values before it. */
export const MIN_BEFORE = 4
/** A change must also differ from the previous value by at least this many standard deviations. */
const FROM_LAST = 2

export type SeriesTest = Backtest & {
  /** The newest value minus the level of those before it. */
  readonly shift: number
  /** The standard deviation of the shift. */
  readonly deviation: number
  /** The largest distance of an earlier value from the level. A shift within it is no change. */
  readonly reach: number
}

export type SeriesInput = {
  /** Logarithms, oldest first, without gaps and without the effects of jobs. The last is HEAD's, the one before BASE's. */
  readonly values: Float64Array
  /** Standard deviation of one value that is expected without knowing the series. */
  readonly expected: number
  /** Variance of HEAD's value by the spread of its runs. */
  readonly headVariance: number
  /** Variance that all series of HEAD's job have in common. */
  readonly jobVariance: number
}

export function testSeries({ values, expected, headVariance, jobVariance }: SeriesInput): {
  readonly test: SeriesTest
  readonly backtests: readonly Backtest[]
} {
  const past = values.subarray(0, -1)
  const spread = new Spread(past, expected)
  const starts = levelStarts(past, spread.deviation)
  const { deviation } = spread
  const variance = Math.max(deviation ** 2, headVariance)
  const test = standardize({ values, index: past.length, start: starts.at(-1)!, deviation, variance, jobVariance })
  const backtests = [...past.keys()].slice(MIN_BEFORE).flatMap(index => {
    // The first value of a lasting level is a change and says nothing about values that did not change.
    if (starts.includes(index)) return []
    const [start, end] = [starts.findLast(place => place < index)!, starts.find(place => place > index)]
    const without = spread.deviationWithout(index)
    const place = {
      values: past.subarray(0, end),
      index,
      start,
      deviation: without,
      variance: without ** 2,
      jobVariance,
    }
    return [standardize(place)]
  })
  return { test, backtests }
}

type Place = {
  readonly values: Float64Array
  readonly index: number
  /** Index at which the level before the value begins. */
  readonly start: number
  readonly deviation: number
  readonly variance: number
  readonly jobVariance: number
}

function standardize({ values, index, start, deviation, variance, jobVariance }: Place): SeriesTest {
  const before = values.subarray(start, index)
  const prediction = predict(before, deviation)
  const shift = values[index]! - prediction.level
  const total = Math.sqrt(variance + deviation ** 2 * prediction.variance + jobVariance)
  const fromLast = ((values[index]! - before.at(-1)!) * Math.sign(shift)) / Math.sqrt(2 * deviation ** 2 + jobVariance)
  let reach = 0
  for (let other = start; other < values.length; other++)
    if (other !== index) reach = Math.max(reach, Math.abs(values[other]! - prediction.level))
  return {
    ...{ z: shift / total, shift, deviation: total, reach },
    isClear: Math.abs(shift) > reach && fromLast >= FROM_LAST,
  }
}
