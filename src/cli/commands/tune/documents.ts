/** Trials as JSON and settings as text. */

import type { Measurements, Trial, WriteSettings } from '../../../state/trial.js'
import { count } from '../../output/report.js'
import type { MeasuredReport, TrialReport } from '../../../reports/targets.js'

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
export function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`
}
