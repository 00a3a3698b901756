/** Notes about the noise of a comparison: what was found about it, what it hides, and what would help. */

import { median } from '../../../analysis/robust.js'
import { judgedRatio, type SeriesChange, type UnjudgedReason } from '../../../analysis/judge.js'
import { MAX_CHANCE, type JobGroup } from '../../../analysis/noise-model.js'
import { MIN_BEFORE } from '../../../analysis/series-test.js'
import { MIN_RUNTIMES, valueFields } from '../../../analysis/series.js'
import type { CompareResult } from '../../../delivery/compare.js'
import { plural } from '../../output/report.js'

export function noiseNotes(compared: CompareResult): readonly string[] {
  const { changes, threshold, commits, groups } = compared
  if (!changes.some(({ kind }) => valueFields(kind).timed)) return []
  return [
    `slower and faster mean q < ${MAX_CHANCE} against the noise within runs and between jobs, and a ratio of ${threshold} or more, or 1/${threshold} or less`,
    commits === 0
      ? 'no commit before BASE is stored, so the noise between jobs is not known'
      : `the noise was measured at ${plural(commits, 'stored commit')} before BASE`,
    ...groups.flatMap(jobNote),
    ...detectableNote(changes),
    ...(['few_runtimes', 'no_history', 'noise', 'other_machine'] as const).flatMap(reason =>
      helpNote(compared, reason),
    ),
  ]
}

/** Common changes below this are not worth a note. */
const MIN_SHIFT = 0.005

function jobNote({ platform, series, controls, shift, isRemoved }: JobGroup): readonly string[] {
  if (Math.abs(Math.log(shift)) < MIN_SHIFT) return []
  const all = controls > 0 ? plural(controls, 'control') : `all ${plural(series, 'series', 'series')}`
  const moved = `${all}${platform === null ? '' : ` on ${platform}`} changed together by ${percent(shift)}`
  return [
    isRemoved
      ? `${moved}: noise of the job, removed before the test`
      : `${moved}, more than a job explains: counted as a change`,
  ]
}

function detectableNote(changes: readonly SeriesChange[]): readonly string[] {
  const found = changes.flatMap(({ test }) => (test?.isNoiseKnown ? [test.detectable] : []))
  if (found.length === 0) return []
  return [
    `the smallest change that would be found: ${percent(median(found))}, the median of ${plural(found.length, 'tested series', 'tested series')}`,
  ]
}

/** How many series were not judged for a reason, and what would help. */
function helpNote({ changes, threshold, controls: named }: CompareResult, reason: UnjudgedReason): readonly string[] {
  const found = changes.filter(change => change.reason === reason)
  if (found.length === 0) return []
  const series = plural(found.length, 'series', 'series')
  const judged = percent(judgedRatio(threshold))
  const nameControls = named.length > 0 ? [] : ['name series that the change cannot touch with --control']
  const helps = (...advice: readonly string[]): string => [...advice, ...nameControls].join(', or ')
  const hidden = median(found.map(({ test }) => test?.detectable ?? NaN))
  const why: Readonly<Record<UnjudgedReason, string>> = {
    few_runtimes: `BASE or HEAD has fewer than ${MIN_RUNTIMES} runs above zero: record about ten`,
    no_history: `fewer than ${MIN_BEFORE} commits before BASE measured them: ${helps('store more commits')}`,
    noise: `their noise hides a change of ${judged}: ${helps('record more runs')}, or raise --threshold to ${(Math.ceil(hidden * 100) / 100).toFixed(2)}`,
    other_machine: `another machine measured HEAD: ${helps('measure both on the same')}`,
    no_ratio: '',
  }
  return [`${series} cannot be judged, because ${why[reason]}`]
}

/** A ratio as a percentage, such as +5.2 %. */
function percent(ratio: number): string {
  const value = (ratio - 1) * 100
  return `${value < 0 ? '' : '+'}${value.toFixed(Math.abs(value) < 10 ? 1 : 0)} %`
}
