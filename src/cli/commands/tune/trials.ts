/** Trials as JSON and as text. */

import type { MeasuredReport, TrialReport } from '../../../reports/targets.js'
import type { Measurements, Trial, WriteSettings } from '../../../state/trial.js'
import { count } from '../../output/report.js'
import { table } from '../../output/table.js'

export function trialDocument({ id, at, settings, champion, sample, result }: Trial): TrialReport {
  const figures = result && {
    ratio: result.ratio,
    won: result.won,
    challenger: measuredDocument(result.challenger),
    champion: measuredDocument(result.champion),
  }
  return { id, at, settings, champion, sample, result: figures ?? null }
}

function measuredDocument({ deliveries, errors, rowsPerSecond, p50Ms, p95Ms }: Measurements): MeasuredReport {
  return { deliveries, errors, rows_per_second: rowsPerSecond, p50_ms: p50Ms, p95_ms: p95Ms }
}

/** Settings as text, such as `copy-bytes 1,048,576, small-rows 5,000`. */
export function settingsText(settings: WriteSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${count(value)}`)
    .join(', ')
}

/** A duration as text, such as `12.3 ms`. */
function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`
}

/** A table of trials, the newest last. */
export function trialLines(trials: readonly Trial[]): readonly string[] {
  const rows = trials.map(({ id, settings, result }) => [
    id,
    result === undefined ? '-' : `${result.ratio.toFixed(2)}${result.won ? ' won' : ''}`,
    result === undefined ? '-' : count(result.challenger.rowsPerSecond),
    result === undefined ? '-' : milliseconds(result.challenger.p50Ms),
    result === undefined ? '-' : milliseconds(result.challenger.p95Ms),
    result === undefined ? 'interrupted' : String(result.challenger.errors),
    settingsText(settings),
  ])
  return table([['TRIAL', 'RATIO', 'ROWS/S', 'P50', 'P95', 'ERRORS', 'SETTINGS'], ...rows])
}
