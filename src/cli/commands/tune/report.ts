/** The result of `tune` as JSON (schemas/v1/tune-report.json) and as text. */

import type { TuneReport } from '../../../reports/targets.js'
import { MARGIN, PAIRS } from '../../../delivery/tuning/measure.js'
import type { Tuned } from '../../../delivery/tuning/tune.js'
import type { RegisteredTarget } from '../../../state/registry.js'
import type { Trial, TrialResult } from '../../../state/trial.js'
import { plural, seconds, type Report } from '../../output/report.js'
import { settingsText, trialDocument, trialLines } from './trials.js'
import type { Sample } from './sample.js'

export type TuneRun = { readonly target: RegisteredTarget; readonly sample: Sample; readonly durationMs: number }

export function tuneReport(
  found: Tuned,
  { target, sample, durationMs }: TuneRun,
  exitCode: TuneReport['exit_code'],
): TuneReport {
  const { trials, champion, stopped, nextAt, rehearsal } = found
  return {
    command: 'tune',
    exit_code: exitCode,
    target: target.name,
    sample: { source: sample.delivery.source, ...sample.size, inserted: rehearsal.inserted },
    trials: trials.map(trialDocument),
    champion: { settings: champion, trial: winnerOf(found)?.id ?? null },
    stopped,
    next_at: nextAt === undefined ? null : new Date(nextAt).toISOString(),
    duration_ms: Math.round(durationMs),
  }
}

/** The last trial of this run that won. */
function winnerOf({ trials }: Tuned): Trial | undefined {
  return trials.findLast(({ result }) => result?.won === true)
}

/** The result of a trial in one line, and the reason if a faster trial did not win. */
export function trialText(id: string, result: TrialResult): string {
  const doubt = result.ratio > 1 && !result.won ? `, but no win: ${whyNotWon(result)}` : ''
  return `trial ${id}: ${result.ratio.toFixed(2)} times as fast as the champion${doubt}`
}

function whyNotWon({ ratio, challenger, champion }: TrialResult): string {
  const whole = Math.min(challenger.deliveries, champion.deliveries)
  if (whole < PAIRS) return `only ${whole} of ${PAIRS} pairs were seen through`
  return ratio < MARGIN ? `less than ${MARGIN_PERCENT} % in the median` : `not faster in all ${PAIRS} pairs`
}

const MARGIN_PERCENT = Math.round((MARGIN - 1) * 100)

export function printTuned(report: Report, found: Tuned, { target, sample, durationMs }: TuneRun): void {
  const { trials, champion, rehearsal } = found
  const winner = winnerOf(found)
  const what = `${target.name}: ${plural(trials.length, 'trial')} in ${seconds(durationMs)}${trials.length > 0 ? ', all rolled back' : ''}`
  report.verdict(true, 'tuned', `${what}${STOPPED[found.stopped](found.nextAt)}`)
  if (trials.length > 0) {
    for (const line of trialLines(trials)) report.result(line)
    report.note('only RATIO can be compared between trials: each was measured at another moment')
  }
  report.result(`${winner === undefined ? 'to beat' : 'best so far'}: ${settingsText(champion)}`)
  if (trials.length > 0 && rehearsal.inserted < sample.size.records)
    report.warning('records of the sample are in the target already: what was measured is in part what a re-push takes')
  if (winner !== undefined)
    report.hint(`vortex-ingest promote --target ${target.name} --trial ${winner.id} makes pushes use them`)
  else if (trials.length > 0)
    report.note(`nothing was clearly faster: that is in all ${PAIRS} pairs, and ${MARGIN_PERCENT} % in the median`)
}

const STOPPED: Readonly<Record<Tuned['stopped'], (nextAt: number | undefined) => string>> = {
  trials: () => '',
  budget: () => '; the budget is spent',
  exhausted: () => '; all that makes a difference for this sample has been tried',
  'cool-down': nextAt => `; the next trial may begin at ${new Date(nextAt ?? 0).toISOString()}`,
}
