/**
 * Estimates how much a whole job was slower or faster than others, from the series that it measured. All values are logarithms, so
 * an effect of 0.05 means 5 % slower.
 */

import { median, medianVariance } from './robust.js'
import { RECENT } from './series-noise.js'
import { MIN_BEFORE } from './series-test.js'

/** Noise between jobs that is assumed where the history is too short to show it. */
export const ASSUMED_JOB_NOISE = 0.06
/** The common change of at least this many series counts as an effect of the job. With fewer, the change of some series would pass for one. */
export const MIN_IN_COMMON = 10
/** At least this many earlier shifts show how large the shifts between jobs are. */
const MIN_SHIFTS = 5
const ROUNDS = 4

export type JobEffects = {
  /** The effect at each commit. The last commit is HEAD. */
  readonly effects: Float64Array
  /** Variance that is added to each series at HEAD, because the effect is only estimated. */
  readonly variance: number
  /** The change of the effect from recent commits to HEAD. */
  readonly shift: number
  /** The largest shift that jobs are known to cause; Infinity with controls, because these show effects of any size. */
  readonly limit: number
}

/**
 * Estimates the effects from the series of one machine.
 * @param rows logarithms of the values of each series at each commit, NaN where it was not measured
 * @param options.columns number of commits
 * @param options.areControls whether the rows are controls, which a change cannot touch
 */
export function estimateJobEffects(
  rows: readonly Float64Array[],
  { columns, areControls }: { readonly columns: number; readonly areControls: boolean },
): JobEffects {
  if (!areControls && rows.length < MIN_IN_COMMON) return noEffects(columns)
  const effects = polish(rows, columns)
  const head = columns - 1
  const shift = shiftAt(effects, head)
  if (areControls) return { effects, variance: 0, shift, limit: Infinity }
  const { limit, variance } = usualShifts(effects)
  if (Math.abs(shift) <= limit) return { effects, variance: 0, shift, limit }
  // No job of the history differed as much, so the change itself moved most series: nothing is removed from HEAD.
  const kept = effects.slice()
  kept[head] = effects[head]! - shift
  return { effects: kept, variance, shift, limit }
}

function noEffects(columns: number): JobEffects {
  return { effects: new Float64Array(columns), variance: 0, shift: 0, limit: 0 }
}

/** Median polish (Tukey): alternates between the level of each series and the effect of each commit. */
function polish(rows: readonly Float64Array[], columns: number): Float64Array {
  let effects = new Float64Array(columns)
  for (let round = 0; round < ROUNDS; round++) {
    const levels = rows.map(row => median(row.map((value, column) => value - effects[column]!)))
    effects = effects.map((_, column) => median(rows.map((row, index) => row[column]! - levels[index]!)))
  }
  return effects
}

/** The effect at a commit minus the median of the effects at the commits before it. */
function shiftAt(effects: Float64Array, column: number): number {
  const before = median(effects.subarray(Math.max(0, column - RECENT), column))
  return effects[column]! - before
}

/** The shifts in the history: twice the largest is the limit. */
function usualShifts(effects: Float64Array): { readonly limit: number; readonly variance: number } {
  const shifts = [...effects.keys()].slice(MIN_BEFORE, -1).map(column => shiftAt(effects, column))
  const known = shifts.filter(shift => !Number.isNaN(shift))
  if (known.length < MIN_SHIFTS) {
    const variance = ASSUMED_JOB_NOISE ** 2 * (1 + medianVariance(1))
    return { limit: 3 * Math.sqrt(variance), variance }
  }
  const variance = known.reduce((sum, shift) => sum + shift ** 2, 0) / known.length
  return { limit: 2 * Math.max(...known.map(Math.abs)), variance }
}
