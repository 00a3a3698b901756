/** The result of `drain` and `recover` as text and as JSON (schemas/v1/drain-report.json). */

import type { DrainReport } from '../../../reports/delivery.js'
import type { DrainResult } from '../../../delivery/drain.js'
import type { TargetResult } from '../../../delivery/result.js'
import { printDowngrade, printExplained, printOutbox, printSuperseded, rangeText, totalsText } from '../push/human.js'
import { plural, seconds, type Report } from '../../output/report.js'
import { explainReport, targetReport } from '../push/report.js'

export type DrainPrinting = {
  readonly command: string
  readonly result: DrainResult
  /** stdout carries JSON, so only warnings and errors are printed, on stderr. */
  readonly besideJson: boolean
}

export function printDrained(report: Report, { command, result, besideJson }: DrainPrinting): void {
  const { targets, warnings, left, discarded, swept, explained = [] } = result
  for (const target of targets) {
    if (!besideJson) printTarget(report, command, { ...target, durationMs: durationOf(target, result) })
    printOutbox(report, target)
    printDowngrade(report, target)
    printSuperseded(report, target)
    if (target.error !== undefined && target.isRequired) report.error(target.error)
    else if (target.error !== undefined) report.tolerated(target.error, 'best effort')
  }
  for (const warning of warnings) report.warning(warning)
  if (!besideJson) printExplained(report, explained)
  for (const intent of left)
    report.warning(
      `a delivery of ${rangeText(intent)} to ${intent.target} is not finished; name that target to finish it`,
    )
  for (const row of discarded)
    report.note(`discarded: a delivery of ${rangeText(row)} to ${row.target}, which was removed`)
  if (swept > 0) report.note(`removed ${plural(swept, 'leftover')} of processes that have ended`)
}

/** With several targets, the duration of each shows the slow one. */
function durationOf(target: TargetResult, { targets, durationMs }: DrainResult): number {
  return targets.length > 1 ? target.durationMs : durationMs
}

function printTarget(report: Report, command: string, target: TargetResult): void {
  const { description, error, outbox, status, records, chunks } = target
  const left = outbox === undefined || outbox.queued === 0 ? '' : `, ${plural(outbox.queued, 'record')} still queued`
  const what = `${plural(records, 'record')} into ${description} ${totalsText(target)}`
  const time = `in ${seconds(target.durationMs)}`
  if (chunks > 0) return report.verdict(error === undefined, `${command}ed`, `${what}${left} ${time}`)
  // The caller prints the failure or the removal itself.
  if (status === 'removed') return report.verdict(false, 'removed:', `nothing went to ${description} ${time}`)
  if (error !== undefined) return report.verdict(false, 'failed:', `nothing went to ${description}${left} ${time}`)
  report.verdict(left === '', `nothing to ${command}`, `for ${description}${left} ${time}`)
}

export function drainReport(command: DrainReport['command'], result: DrainResult): DrainReport {
  const { exitCode, targets, left, discarded, swept, explained, durationMs } = result
  return {
    command,
    exit_code: exitCode,
    targets: targets.map(targetReport),
    left: left.map(({ id, target, partition, since, until }) => ({ id, target, partition, since, until })),
    discarded,
    swept,
    ...(explained !== undefined && { explain: explainReport(explained) }),
    duration_ms: Math.round(durationMs),
  }
}
