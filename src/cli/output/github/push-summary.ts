/** The step summary and outputs of `push`. */

import type { PushResult } from '../../../delivery/push.js'
import type { TargetResult, Totals } from '../../../delivery/result.js'
import { messageOf } from '../../../errors.js'
import { countChecked } from '../../commands/push/report.js'
import type { StepSummary } from '../../context.js'
import { downgradeText } from '../downgrade-report.js'
import { count, plural, seconds } from '../report.js'
import { markdownHeading, markdownTable, markdownText, rejectionTable, warningList } from './markdown.js'

/** @param comparison Markdown sections that compare the measurements with an earlier commit */
export function pushSummary(result: PushResult, comparison: readonly string[]): StepSummary {
  const { deciding, notes, exitCode } = result
  const { inserted, updated } = deciding ?? { inserted: 0, updated: 0 }
  const commit = result.commit?.sha ?? result.commitSha ?? ''
  return {
    summary: [...sections(result), ...comparison].join('\n\n'),
    outputs: { inserted, updated, accepted: countChecked(result), rejected: notes.rejected, commit, exit: exitCode },
  }
}

function sections(result: PushResult): readonly string[] {
  const { targets, notes, exitCode } = result
  return [
    markdownHeading(exitCode, `vortex-ingest push: ${verdictLine(result)}`),
    ...(targets.length === 0 ? [] : [targetTable(targets)]),
    ...targets.flatMap(kindTable),
    ...targets.flatMap(trouble),
    ...rejectionTable(notes),
    ...warningList(notes),
  ]
}

function verdictLine(result: PushResult): string {
  const { commit, notes, dryRun, durationMs, rejects } = result
  const rejected = `${plural(notes.rejected, 'line')} rejected`
  if (notes.rejected > 0 && rejects === undefined)
    return `nothing was sent, ${count(countChecked(result))} accepted, ${rejected}`
  const of = commit === undefined ? '' : ` of <code>${commit.sha.slice(0, 7)}</code>`
  const what = `${plural(countChecked(result), 'record')}${of}`
  const others = rejects === undefined ? '' : `, ${rejected}`
  return dryRun ? `${what} would be sent, nothing was${others}` : `${what} in ${seconds(durationMs)}${others}`
}

function targetTable(targets: readonly TargetResult[]): string {
  const rows = targets.map(target => [
    markdownText(target.description),
    target.status,
    ...figures(target),
    count(target.attempts),
  ])
  return markdownTable(['target', 'status', 'records', 'inserted', 'updated', 'unchanged', 'attempts'], rows, 2)
}

/** Records per kind. Inserted, updated and unchanged rows are shown only for targets that report them per kind. */
function kindTable({ description, kinds, counts }: TargetResult): readonly string[] {
  const reported = kinds.map(totals => [totals.kind, ...figures(totals)])
  const counted = [...counts].map(([kind, records]) => [kind, count(records)])
  const rows = reported.length > 0 ? reported : counted
  const head = ['kind', 'records', 'inserted', 'updated', 'unchanged'].slice(0, rows[0]?.length)
  return rows.length === 0 ? [] : [`**Into ${markdownText(description)}**`, markdownTable(head, rows)]
}

function figures({ records, inserted, updated, unchanged }: Totals): readonly string[] {
  return [records, inserted, updated, unchanged].map(count)
}

function trouble({ description, retries, error, downgrade }: TargetResult): readonly string[] {
  const last = retries.at(-1)
  const where = markdownText(description)
  return [
    ...(downgrade === undefined ? [] : [markdownText(downgradeText(description, downgrade))]),
    ...(last === undefined
      ? []
      : [`${where} was retried ${plural(retries.length, 'time')}: ${markdownText(messageOf(last.error))}`]),
    ...(error === undefined ? [] : [`${where} failed: ${markdownText(messageOf(error))}`]),
  ]
}
