/** Chooses the scale of the value axis, so that a line far below a larger one can still be read. */

import type { Scale, ScaleChoice } from '../address.js'
import type { Series, Values } from './series.js'

/** A line that is smaller than the largest one by more than this factor is flat on a linear scale. */
const FAR_APART = 20

/** How many times greater the highest line is than the lowest; undefined when a line has no positive value. */
export function heightRatio(series: readonly Pick<Series, 'values'>[]): number | undefined {
  const heights = series.map(({ values }) => greatest(values))
  if (heights.length === 0 || heights.some(height => height <= 0)) return undefined
  const pick = (choose: (one: number, other: number) => number): number => heights.reduce((a, b) => choose(a, b))
  return pick(Math.max) / pick(Math.min)
}

function greatest(values: Values): number {
  let most = 0
  for (const value of values) if (value !== null && value > most) most = value
  return most
}

export type ChosenScale = {
  /** The choice in effect: `auto` is resolved. */
  readonly choice: Exclude<ScaleChoice, 'auto'>
  readonly scale: Scale
  /** An explanation for the reader; empty when nothing is unusual. */
  readonly note: string
}

/** @param ratio the result of `heightRatio` for the series that are drawn */
export function chooseScale(choice: ScaleChoice, ratio: number | undefined): ChosenScale {
  const isFar = ratio !== undefined && ratio > FAR_APART
  const times = `${(ratio ?? 1).toLocaleString('en-US', { maximumSignificantDigits: 2 })} ×`
  if (choice === 'relative')
    return { choice, scale: 'linear', note: 'Relative: each line is divided by its first value, so it starts at 1 ×.' }
  if (choice === 'log' || (choice === 'auto' && isFar)) {
    const note = `Log scale: the highest line is ${times} the lowest. Choose Relative to compare how lines change.`
    return { choice: 'log', scale: 'log', note: isFar ? note : '' }
  }
  const note = `The highest line is ${times} the lowest. Choose Log or Relative to see the low ones.`
  return { choice: 'linear', scale: 'linear', note: isFar ? note : '' }
}

/** A series as multiples of its first positive value. The values themselves are in `beside`. */
export function relativeSeries<S extends Series>(series: S): S {
  const first = series.values.find(value => value !== null && value > 0) ?? undefined
  const divide = (values: Values): Values =>
    values.map(value => (value === null || first === undefined ? null : value / first))
  const { values, spread } = series
  return {
    ...{ ...series, values: divide(values), beside: values },
    spread: spread && { low: divide(spread.low), high: divide(spread.high) },
  }
}
