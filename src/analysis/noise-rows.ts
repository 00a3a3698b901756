/** Prepares the series of two commits and their history for the noise model. */

import type { Kind } from '../contract/kinds.js'
import { medianVariance, robustDeviation } from './robust.js'
import { MIN_BEFORE } from './series-test.js'
import { MIN_RUNTIMES, seriesDimensions, seriesKey, type Measurement, type Pair } from './series.js'

/** The values of one series at the commits before BASE. */
export type NoiseHistory = {
  readonly kind: Kind
  readonly dimensions: Measurement['dimensions']
  /** One for each commit, oldest first; NaN where the series was not measured. */
  readonly values: Float64Array
  /** Target triple of the measuring machine at each commit; null when it is unknown. */
  readonly platforms: readonly (string | null)[]
}

/** A dimension and the value of it that makes a series a control. */
export type Control = { readonly dimension: string; readonly value: string }

export type NoiseOptions = {
  /** Every list of values has the same commits. */
  readonly history: readonly NoiseHistory[]
  /** The change cannot touch a series that matches any of these. */
  readonly controls: readonly Control[]
}

/** The data of one series that the model needs. */
export type NoiseRow = {
  /** Index of the pair in the list of all pairs. */
  readonly index: number
  readonly pair: Pair
  /** Logarithms of the values at the commits of the history, then at BASE and HEAD; NaN where BASE's machine did not measure the series. */
  readonly values: Float64Array
  readonly isControl: boolean
  /** Variances of the values of BASE and HEAD by the spread of their runs; undefined with too few runs. */
  readonly within: readonly [number | undefined, number | undefined]
}

/** The rows of one machine. */
export type NoiseRows = { readonly rows: readonly NoiseRow[]; readonly controls: readonly NoiseRow[] }

/** Groups the series that can be tested by machine. A series that moved to another machine needs controls there. */
export function groupRows(pairs: readonly Pair[], { history, controls }: NoiseOptions): readonly NoiseRows[] {
  const known = new Map(history.map(series => [historyKey(series.kind, series), series]))
  const groups = new Map<string, NoiseRow[]>()
  for (const [index, pair] of pairs.entries()) {
    const values = rowValues(pair, known.get(historyKey(pair.kind, pair.base)), history[0]?.values.length ?? 0)
    const within = [withinVariance(pair.base), withinVariance(pair.head)] as const
    if (values === undefined || !isTestable(values, within)) continue
    const key = JSON.stringify([pair.base.platform, pair.head.platform])
    const group = groups.get(key) ?? []
    group.push({ index, pair, values, within, isControl: isControl(pair, controls) })
    groups.set(key, group)
  }
  return [...groups.values()]
    .map(rows => ({ rows, controls: rows.filter(row => row.isControl) }))
    .filter(({ rows, controls }) => controls.length > 0 || !rows.some(({ pair }) => isMoved(pair)))
}

/** Whether BASE and HEAD were measured by machines that are known to differ. */
function isMoved({ base, head }: Pair): boolean {
  return base.platform !== null && head.platform !== null && base.platform !== head.platform
}

/** With few runs, only the history shows the noise within a job. */
function isTestable(values: Float64Array, within: NoiseRow['within']): boolean {
  return !within.includes(undefined) || values.filter(value => !Number.isNaN(value)).length > MIN_BEFORE + 1
}

function historyKey({ kind }: Kind, series: Pick<NoiseHistory, 'dimensions'>): string {
  return `${kind} ${seriesKey(series)}`
}

/** Whether a series is one of the controls. */
export function isControl({ kind, head }: Pair, controls: readonly Control[]): boolean {
  const fields = seriesDimensions(kind)
  return controls.some(({ dimension, value }) =>
    fields.some(({ name }, index) => name === dimension && head.dimensions[index] === value),
  )
}

/** @returns undefined for sizes and for values without a logarithm */
function rowValues({ base, head }: Pair, history: NoiseHistory | undefined, commits: number): Float64Array | undefined {
  if (base.runtimes === undefined || base.value <= 0n || head.value <= 0n) return undefined
  const values = new Float64Array(commits + 2).fill(NaN)
  history?.values.forEach((value, column) => {
    if (value > 0 && history.platforms[column] === base.platform) values[column] = Math.log(value)
  })
  values.set([Math.log(Number(base.value)), Math.log(Number(head.value))], commits)
  return values
}

/** The variance of the median of the runs, as logarithms. */
function withinVariance({ runtimes = [] }: Measurement): number | undefined {
  const logs = runtimes.filter(run => run > 0n).map(run => Math.log(Number(run)))
  return logs.length < MIN_RUNTIMES ? undefined : robustDeviation(logs) ** 2 * medianVariance(logs.length)
}
