/** The visible range of an axis, and round values on it. */

import type { Scale } from '../address.js'

/** A range of commits, by index. During a gesture its ends may lie between two commits. */
export type VisibleRange = { readonly min: number; readonly max: number }

/** In commits. */
const MIN_WIDTH = 2

type Hold = {
  /** A position in commits, and the share of the width where it is to appear: 0 at the left edge, 1 at the right edge. */
  readonly position: number
  readonly share: number
  /** Index of the last commit. */
  readonly end: number
}

/** @param factor below 1 shows fewer commits */
export function zoomRange({ min, max }: VisibleRange, factor: number, { position, share, end }: Hold): VisibleRange {
  const width = Math.min(end, Math.max(MIN_WIDTH, (max - min) * factor))
  return within(position - width * share, width, end)
}

/** @param by number of commits to move to the right */
export function moveRange({ min, max }: VisibleRange, by: number, end: number): VisibleRange {
  return within(min + by, max - min, end)
}

/** Rounds both ends of the range to the nearest commit. */
export function roundRange({ min, max }: VisibleRange): VisibleRange {
  return { min: Math.round(min), max: Math.round(max) }
}

/** The position at a share of the range's width. */
export function positionAt({ min, max }: VisibleRange, share: number): number {
  return min + share * (max - min)
}

/** The share of the range's width at which a position is. */
export function positionShare({ min, max }: VisibleRange, position: number): number {
  return max === min ? 0.5 : (position - min) / (max - min)
}

function within(wanted: number, width: number, end: number): VisibleRange {
  const min = Math.max(0, Math.min(end - width, wanted))
  return { min, max: min + width }
}

/** Round values from `min` to `max`, about `wanted` of them. */
export function ticks(min: number, max: number, scale: Scale, wanted: number): number[] {
  const round = scale === 'log' ? logTicks(min, max, wanted) : []
  // When the range is less than a decade, logarithmic ticks would be too far apart.
  return round.length >= 3 ? round : linearTicks(min, max, wanted)
}

function linearTicks(min: number, max: number, wanted: number): number[] {
  const rough = (max - min) / Math.max(1, wanted)
  if (!(rough > 0)) return [min]
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5].find(factor => factor * power >= rough) ?? 10)
  const first = Math.ceil(min / step)
  return Array.from({ length: Math.floor(max / step) - first + 1 }, (_, index) => clean((first + index) * step))
}

function logTicks(min: number, max: number, wanted: number): number[] {
  if (!(min > 0)) return []
  const decades = Math.log10(max / min)
  const factors = decades * 3 <= wanted * 1.5 ? [1, 2, 5] : [1]
  const every = Math.max(1, Math.ceil(decades / wanted))
  const found: number[] = []
  for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power++)
    if (factors.length > 1 || power % every === 0) found.push(...factors.map(factor => clean(factor * 10 ** power)))
  return found.filter(value => value >= min && value <= max)
}

/** Removes rounding errors after the twelfth digit. */
function clean(value: number): number {
  return Number(value.toPrecision(12))
}
