/** Round values for an axis. */

import type { Scale } from '../address.js'

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
