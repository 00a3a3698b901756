/** Prints the result of `drain` and `recover` as text. */

import type { TargetOutcome } from '../../../delivery/deliver.js'
import type { DrainOutcome } from './report.js'
import { printExplained } from '../push/explain-report.js'
import { printDowngrade, printOutbox, rangeText } from '../push/human.js'
import { landedIn, totals } from '../push/report.js'
import { count, plural, seconds, type Report } from '../../output/report.js'

/** @param besideJson stdout carries JSON, so only warnings and errors are printed, on stderr */
export function printDrained(report: Report, outcome: DrainOutcome, besideJson: boolean): void {
  const { drained, verdict, explained = [] } = outcome
  for (const target of drained.outcomes) {
    if (!besideJson) printTarget(report, outcome, target)
    printOutbox(report, target)
    printDowngrade(report, target)
    if (target.failure !== undefined && verdict.required.has(target)) report.error(target.failure.error)
    else if (target.failure !== undefined) report.tolerated(target.failure.error, 'best effort')
  }
  if (!besideJson) printExplained(report, explained)
  for (const intent of drained.left)
    report.warning(`a delivery of ${rangeText(intent)} to ${intent.target} is open; name that target to see it through`)
  for (const row of drained.discarded)
    report.note(`discarded: a delivery of ${rangeText(row)} to ${row.target}, which was removed`)
  if (drained.swept > 0) report.note(`${plural(drained.swept, 'leftover')} of processes that are gone removed`)
}

function printTarget(report: Report, { command, drained, durationMs }: DrainOutcome, target: TargetOutcome): void {
  const { description, failure, outbox } = target
  const landed = landedIn(target)
  const { records, inserted, updated } = totals(landed)
  const left = outbox === undefined || outbox.kept === 0 ? '' : `, ${plural(outbox.kept, 'record')} still in the outbox`
  const what = `${plural(records, 'record')} into ${description} (${count(inserted)} inserted, ${count(updated)} updated)`
  const time = `in ${seconds(drained.outcomes.length > 1 ? target.durationMs : durationMs)}`
  if (landed.length > 0) return report.verdict(failure === undefined, `${command}ed`, `${what}${left} ${time}`)
  // The caller prints the failure or the removal itself.
  if (outbox?.isRemoved === true) return report.verdict(false, 'removed:', `nothing went to ${description} ${time}`)
  if (failure !== undefined) return report.verdict(false, 'failed:', `nothing went to ${description}${left} ${time}`)
  report.verdict(left === '', `nothing to ${command}`, `for ${description}${left} ${time}`)
}
