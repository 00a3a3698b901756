/** The step summary and outputs of `push`. */

import type { TargetOutcome } from '../../../delivery/deliver.js'
import { messageOf } from '../../../errors.js'
import type { KindReceipt } from '../../../source/delivery.js'
import type { Told } from '../../context.js'
import { downgradeOf, downgradeText } from '../downgrade-report.js'
import {
  attemptsOf,
  checked,
  decidingOf,
  kindCounts,
  kindTotals,
  landedIn,
  stateOf,
  totals,
  type PushOutcome,
} from '../../commands/push/report.js'
import { count, plural, seconds } from '../report.js'
import { heading, table, text } from './markdown.js'
import { rejectionTable, warningList } from './notes-summary.js'

/** @param comparison Markdown sections that compare the measurements with an earlier commit */
export function toldOfPush(outcome: PushOutcome, comparison: readonly string[]): Told {
  const { pushed, notes, verdict, dryRun } = outcome
  const deciding = decidingOf(outcome)
  const { inserted, updated } = totals(deciding === undefined || dryRun ? [] : landedIn(deciding))
  const commit = pushed.commit?.sha ?? pushed.commitSha ?? ''
  return {
    summary: [...sections(outcome), ...comparison].join('\n\n'),
    outputs: { inserted, updated, rejected: notes.rejected, commit, exit: verdict.exitCode },
  }
}

function sections(outcome: PushOutcome): readonly string[] {
  const { pushed, notes, dryRun } = outcome
  const targets = dryRun ? [] : pushed.outcomes
  return [
    heading(outcome.verdict.exitCode, `vortex-ingest push: ${verdictLine(outcome)}`),
    ...(targets.length === 0 ? [] : [targetTable(targets)]),
    ...targets.flatMap(kindTable),
    ...targets.flatMap(trouble),
    ...rejectionTable(notes),
    ...warningList(notes),
  ]
}

function verdictLine({ pushed, notes, dryRun, durationMs }: PushOutcome): string {
  if (notes.rejected > 0) return `nothing was sent, ${plural(notes.rejected, 'line')} rejected`
  const of = pushed.commit === undefined ? '' : ` of <code>${pushed.commit.sha.slice(0, 7)}</code>`
  const what = `${plural(checked(pushed), 'record')}${of}`
  return dryRun ? `${what} would be sent, nothing was` : `${what} in ${seconds(durationMs)}`
}

function targetTable(targets: readonly TargetOutcome[]): string {
  const rows = targets.map(target => [
    text(target.description),
    stateOf(target),
    ...figures(totals(landedIn(target))),
    count(attemptsOf(target)),
  ])
  return table(['target', 'state', 'records', 'inserted', 'updated', 'unchanged', 'tries'], rows, 2)
}

/** Records per kind. Inserted, updated and unchanged rows are shown only for targets that report them per kind. */
function kindTable(target: TargetOutcome): readonly string[] {
  const said = kindTotals(landedIn(target)).map(kind => [kind.kind, ...figures(kind)])
  const counted = [...kindCounts(target)].map(([kind, records]) => [kind, count(records)])
  const rows = said.length > 0 ? said : counted
  const head = ['kind', 'records', 'inserted', 'updated', 'unchanged'].slice(0, rows[0]?.length)
  return rows.length === 0 ? [] : [`**Into ${text(target.description)}**`, table(head, rows)]
}

function figures({ records, inserted, updated, unchanged }: Omit<KindReceipt, 'kind'>): readonly string[] {
  return [records, inserted, updated, unchanged].map(count)
}

function trouble(target: TargetOutcome): readonly string[] {
  const { description, retries, failure } = target
  const last = retries.at(-1)
  const downgrade = downgradeOf(landedIn(target))
  return [
    ...(downgrade === undefined ? [] : [text(downgradeText(description, downgrade))]),
    ...(last === undefined
      ? []
      : [`${text(description)} was tried again ${plural(retries.length, 'time')}: ${text(messageOf(last.error))}`]),
    ...(failure === undefined ? [] : [`${text(description)} failed: ${text(messageOf(failure.error))}`]),
  ]
}
