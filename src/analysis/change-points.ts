/** Finds the change points of one series: the places from which on its values lie on another level. */

import { robustDeviation } from './robust.js'
import { neighbourDifferences } from './series-noise.js'
import { twoSidedP } from './student.js'

/** A change point in the list of values. */
export type Split = {
  /** Index of the first value of the new level. */
  readonly index: number
  /** The new level began at one of these places, with much certainty. */
  readonly earliest: number
  readonly latest: number
  /** The mean of the new level minus the mean of the old one. Levels end at the neighbouring change points. */
  readonly shift: number
  /** The two-sided p-value, corrected for the number of places at which the series could have changed. */
  readonly p: number
}

export type SplitOptions = {
  /** The largest p-value of a change point. */
  readonly limit: number
  /** The share of values that are outliers. A level of few values is believed only if they are unlikely to be all outliers. */
  readonly outlierRate: number
}

/** The smallest number of values that make a level. */
const MIN_LENGTH = 2
/** Candidates are sought in windows of these lengths too, because a short level between long ones hardly shows in the whole. */
const WINDOWS = [24, 60, 200]
/** The p-value, without correction, up to which a place is a candidate. */
const CANDIDATE_P = 0.002
/** The smallest believed standard deviation. Equal values in a short series do not show that there is no noise. */
const MIN_DEVIATION = 5e-4

/**
 * Finds change points by repeated division with Student's t test, in windows, and then removes the weakest until all are
 * significant. This is the procedure of Hunter (Fleming et al., 2023) with a better division, without the effect of outliers and
 * with p-values that are corrected for the length of the series and for the correlation of successive values.
 * @param values logarithms of the measured values, without gaps
 */
export function findSplits(values: Float64Array, options: SplitOptions): readonly Split[] {
  if (values.length < 2 * MIN_LENGTH) return []
  const series = new Levels(clipOutliers(values))
  let places = candidates(series)
  for (;;) {
    places = relocate(series, places)
    const splits = judgeSplits(series, places, options)
    const weakest = splits.reduce<Split | undefined>(
      (worst, split) => (split.p > (worst?.p ?? -1) ? split : worst),
      undefined,
    )
    if (weakest === undefined || weakest.p <= options.limit) return splits
    places = places.filter(place => place !== weakest.index)
  }
}

/** The mean of the level of each value. */
export function levelsOf(values: Float64Array, splits: readonly Split[]): Float64Array {
  const levels = new Float64Array(values.length)
  let from = 0
  for (const to of [...splits.map(({ index }) => index), values.length]) {
    const level = values.subarray(from, to)
    levels.fill(level.reduce((sum, value) => sum + value, 0) / level.length, from, to)
    from = to
  }
  return levels
}

/** Means and variances of any range of values in constant time. */
class Levels {
  readonly #sums: Float64Array
  readonly #squares: Float64Array

  constructor(readonly values: Float64Array) {
    // Distances to a typical value are summed, because sums of large squares would lose digits.
    const origin = values[0]!
    this.#sums = cumulate(values.map(value => value - origin))
    this.#squares = cumulate(values.map(value => (value - origin) ** 2))
  }

  get length(): number {
    return this.values.length
  }

  /** The sum of the distances to the first value of the series. */
  sum(from: number, to: number): number {
    return this.#sums[to]! - this.#sums[from]!
  }

  mean(from: number, to: number): number {
    return this.values[0]! + this.sum(from, to) / (to - from)
  }

  /** The sum of the squared distances to the mean. */
  spread(from: number, to: number): number {
    return Math.max(0, this.#squares[to]! - this.#squares[from]! - this.sum(from, to) ** 2 / (to - from))
  }
}

function cumulate(values: Float64Array): Float64Array {
  const sums = new Float64Array(values.length + 1)
  for (let index = 0; index < values.length; index++) sums[index + 1] = sums[index]! + values[index]!
  return sums
}

const NEIGHBOURS = 3 // the number of values that `middleOf` can take
const OUTLIER_DEVIATIONS = 4

/**
 * Moves each value that lies far above or below the levels on both sides of it towards the nearer level. The first and the last
 * value have one side only. There the nearest value counts as a level too, so that two values can begin a level.
 */
export function clipOutliers(values: Float64Array): Float64Array {
  const reach = OUTLIER_DEVIATIONS * stepDeviation(values)
  const { length } = values
  return values.map((value, index) => {
    const before = index === 0 ? (values[1] ?? value) : middleOf(values, Math.max(0, index - NEIGHBOURS), index)
    const after =
      index === length - 1
        ? (values[index - 1] ?? value)
        : middleOf(values, index + 1, Math.min(length, index + 1 + NEIGHBOURS))
    return Math.min(Math.max(before, after) + reach, Math.max(Math.min(before, after) - reach, value))
  })
}

/** The standard deviation of the noise, from the differences between neighbours, because change points hardly affect these. */
function stepDeviation(values: Float64Array): number {
  return Math.max(MIN_DEVIATION, robustDeviation(neighbourDifferences(values), 0))
}

/** The median of one to three values. Sorting them would take most of the time of the whole analysis. */
function middleOf(values: Float64Array, from: number, to: number): number {
  const [a, b, c] = [values[from]!, values[to - 1]!, values[from + 1]!]
  return to - from < NEIGHBOURS ? (a + b) / 2 : Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}

/** Places that divide the series, or a window of it, well. Windows overlap by half. */
function candidates(series: Levels): readonly number[] {
  const found = new Set<number>()
  for (const width of [...WINDOWS.filter(width => width < series.length), series.length])
    for (let from = 0; from === 0 || from + width / 2 < series.length; from += width / 2)
      divide(series, { from, to: Math.min(series.length, from + width) }, found)
  return [...found].sort((a, b) => a - b)
}

type Range = { readonly from: number; readonly to: number }

function divide(series: Levels, range: Range, found: Set<number>): void {
  const best = bestPlace(series, range)
  if (best === undefined || testSplit(series, best, range).p > CANDIDATE_P) return
  found.add(best)
  divide(series, { ...range, to: best }, found)
  divide(series, { ...range, from: best }, found)
}

/** The place that divides the range into the two levels that explain most of its variance. */
function bestPlace(series: Levels, { from, to }: Range): number | undefined {
  const total = series.sum(from, to)
  let best: number | undefined
  let most = 0
  for (let place = from + MIN_LENGTH; place <= to - MIN_LENGTH; place++) {
    const [left, right] = [place - from, to - place]
    const sum = series.sum(from, place)
    const explained = (sum * right - (total - sum) * left) ** 2 / (left * right)
    if (explained > most) [best, most] = [place, explained]
  }
  return best
}

const MAX_MOVES = 3

/** Moves each place to the best one between its neighbours. */
function relocate(series: Levels, places: readonly number[]): readonly number[] {
  const moved = [...places]
  for (let round = 0, hasMoved = true; hasMoved && round < MAX_MOVES; round++) {
    hasMoved = false
    for (const [index, place] of moved.entries()) {
      moved[index] = bestPlace(series, rangeAround(series, moved, index)) ?? place
      hasMoved ||= moved[index] !== place
    }
  }
  return moved
}

function rangeAround({ length }: Levels, places: readonly number[], index: number): Range {
  return { from: places[index - 1] ?? 0, to: places[index + 1] ?? length }
}

function judgeSplits(series: Levels, places: readonly number[], { outlierRate }: SplitOptions): readonly Split[] {
  const noise = noiseAround(series, places)
  return places.map((index, at) => {
    const range = rangeAround(series, places, at)
    const { p, shift } = testSplit(series, index, range, noise)
    const shorter = Math.min(index - range.from, range.to - index)
    const [earliest, latest] = likelyPlaces(series, index, range, noise)
    return {
      ...{ index, earliest, latest, shift },
      p: Math.min(1, Math.max(p, outlierRate ** shorter) * series.length),
    }
  })
}

/** A place is likely if twice the difference of its log likelihood to that of the best place is at most this. */
const MAX_LIKELIHOOD_RATIO = 9

/** The first and the last likely place around the best one. */
function likelyPlaces(
  series: Levels,
  best: number,
  { from, to }: Range,
  { variance }: Noise,
): readonly [number, number] {
  const remaining = (place: number): number => series.spread(from, place) + series.spread(place, to)
  const most = remaining(best) + MAX_LIKELIHOOD_RATIO * Math.max(variance, MIN_DEVIATION ** 2)
  let [earliest, latest] = [best, best]
  while (earliest - 1 > from && remaining(earliest - 1) <= most) earliest--
  while (latest + 1 < to && remaining(latest + 1) <= most) latest++
  return [earliest, latest]
}

type Noise = {
  readonly variance: number
  /** Degrees of freedom of the variance. */
  readonly dof: number
  /** Correlation of successive values; 0 unless it is positive and significant. */
  readonly correlation: number
}

/** The noise of the whole series around its levels. */
function noiseAround(series: Levels, places: readonly number[]): Noise {
  const { values, length } = series
  let [from, spread, products] = [0, 0, 0]
  for (const to of [...places, length]) {
    const mean = series.mean(from, to)
    spread += series.spread(from, to)
    for (let index = from + 1; index < to; index++) products += (values[index]! - mean) * (values[index - 1]! - mean)
    from = to
  }
  const dof = Math.max(1, length - places.length - 1)
  const correlation = spread > 0 ? products / spread : 0
  return { variance: spread / dof, dof, correlation: correlation > 2 / Math.sqrt(length) ? correlation : 0 }
}

const MAX_CORRELATION = 0.9

/**
 * Student's t test of the two levels of a range.
 * @param noise the noise of the whole series, which is used when it is larger than that of the range
 */
function testSplit(
  series: Levels,
  place: number,
  { from, to }: Range,
  noise?: Noise,
): { readonly p: number; readonly shift: number } {
  const shift = series.mean(place, to) - series.mean(from, place)
  const ownDof = to - from - 2
  const own = { variance: (series.spread(from, place) + series.spread(place, to)) / ownDof, dof: ownDof }
  const { variance, dof } = noise !== undefined && noise.variance > own.variance ? noise : own
  const correlation = Math.min(MAX_CORRELATION, noise?.correlation ?? 0)
  const ofMeans = (1 / (place - from) + 1 / (to - place)) * ((1 + correlation) / (1 - correlation))
  const t = shift / Math.sqrt(Math.max(variance, MIN_DEVIATION ** 2) * ofMeans)
  return { p: twoSidedP(t, dof), shift }
}
