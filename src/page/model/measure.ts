/** The two measures of sizes: bytes and compression ratio (uncompressed ÷ compressed). */

import type { HistoryAnswer, HistorySeries } from '../../server/read/answers.js'
import type { Measure } from '../address.js'
import type { Unit } from '../format.js'
import type { RunSpread, Values } from './series.js'

/** A charted series, and the other measure of the same series in `beside`, if there is one. */
export type MeasuredSeries = {
  readonly key: readonly string[]
  readonly values: Values
  readonly beside?: Values
  readonly spread?: RunSpread | undefined
}

/** Whether lower or higher values are better. */
export type Better = 'lower' | 'higher'

export type MeasuredHistory = Omit<HistoryAnswer, 'unit' | 'series'> & {
  readonly unit: Unit
  readonly better: Better
  /** The unit of `beside`, or undefined when no compression ratio is known. */
  readonly besideUnit: Unit | undefined
  readonly series: readonly MeasuredSeries[]
}

/** Whether the compression ratio of at least one size is known. */
export function hasRatios({ series }: HistoryAnswer): boolean {
  return series.some(one => compressionRatios(one).some(ratio => ratio !== null))
}

/** @returns the history in that measure, or as measured when no compression ratio is known */
export function inMeasure(history: HistoryAnswer, measure: Measure): MeasuredHistory {
  const { unit } = history
  if (!hasRatios(history))
    return { ...history, better: 'lower', besideUnit: undefined, series: history.series.map(withSpread) }
  const series = history.series.map(one => ({ key: one.key, sizes: one.values, ratios: compressionRatios(one) }))
  return measure === 'ratio'
    ? {
        ...{ ...history, unit: 'ratio', better: 'higher', besideUnit: unit },
        series: series.map(({ key, sizes, ratios }) => ({ key, values: ratios, beside: sizes })),
      }
    : {
        ...{ ...history, better: 'lower', besideUnit: 'ratio' },
        series: series.map(({ key, sizes, ratios }) => ({ key, values: sizes, beside: ratios })),
      }
}

function withSpread({ key, values, low, high }: HistorySeries): MeasuredSeries {
  return { key, values, spread: low && high && { low, high } }
}

function compressionRatios({ values, uncompressed_bytes: uncompressed = [] }: HistorySeries): Values {
  return values.map((value, at) => {
    const before = uncompressed[at] ?? null
    return before === null || value === null || value <= 0 ? null : before / value
  })
}
