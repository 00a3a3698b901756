/** Prints the result of a push as text: the verdict, then the numbers, then hints. */

import type { TargetOutcome } from '../../../delivery/deliver.js'
import type { Range } from '../../../state/intent.js'
import { AnswerLost } from '../../../http/connection-error.js'
import type { KindReceipt } from '../../../source/delivery.js'
import { messageOf } from '../../../errors.js'
import { downgradeOf, downgradeText } from '../../output/downgrade-report.js'
import { printExplained } from './explain-report.js'
import { LongList } from '../../output/long-list.js'
import {
  attemptsOf,
  checked,
  kindCounts,
  kindTotals,
  landedIn,
  stateOf,
  totals,
  waitedMs,
  type PushOutcome,
} from './report.js'
import { count, plural, seconds, type Report } from '../../output/report.js'

/** @param besideJson stdout carries JSON, so only warnings and errors are printed, on stderr */
export function printHuman(report: Report, outcome: PushOutcome, besideJson: boolean): void {
  const { pushed, notes, dryRun } = outcome
  for (const warning of notes.warnings) report.lineWarning(warning)
  if (notes.warned > notes.warnings.length)
    report.warning(`and ${count(notes.warned - notes.warnings.length)} more; vortex-ingest validate shows all of them`)
  if (notes.rejected > 0) return printRejected(report, outcome)
  if (!besideJson && dryRun) printDryRun(report, outcome)
  printSources(report, outcome)
  if (!besideJson) for (const target of pushed.outcomes) printLanded(report, outcome, target)
  for (const target of pushed.outcomes) {
    printOutbox(report, target)
    printTrouble(report, outcome, target)
  }
  if (!besideJson) printExplained(report, outcome.explained ?? [])
  printRefreshed(report, outcome)
}

function printRejected(report: Report, { pushed, notes }: PushOutcome): void {
  const list = new LongList(report, 'stderr', 'more rejected lines')
  for (const rejection of notes.rejections) {
    list.next()
    report.rejection(rejection)
  }
  list.end()
  report.annotator?.more('error', notes.rejected - notes.rejections.length)
  const bad = pushed.inspections.map(({ source }) => source).filter(source => notes.rejectedSources.has(source))
  report.failure(`nothing was sent: ${plural(notes.rejected, 'line')} rejected in ${bad.join(', ')}`)
  if (notes.rejections.some(({ code }) => code === 'record_too_large'))
    return report.hint('give a larger --max-envelope-bytes, if the server takes that much')
  if (notes.rejected <= notes.rejections.length) return
  // A push always requires a single commit; `validate` checks the commit only with --commit-sha.
  const commitSha = pushed.commitSha === undefined ? '' : ` --commit-sha ${pushed.commitSha}`
  report.hint(`vortex-ingest validate ${bad.join(' ')}${commitSha} shows all of them`)
}

function printDryRun(report: Report, { pushed }: PushOutcome): void {
  const records = checked(pushed)
  const isUnchanged = pushed.sources?.every(({ change }) => change === 'unchanged') === true
  if (isUnchanged) return report.verdict(true, 'dry run:', 'nothing new in the input; nothing was sent')
  const what = `${plural(records, 'record')} of ${shortSha(pushed.commit)}`
  report.verdict(true, 'dry run:', `${what} would be sent; nothing was`)
}

/** Prints how the inputs changed since they were last read into the state. */
function printSources(report: Report, { pushed }: PushOutcome): void {
  for (const { source, change, linesBefore } of pushed.sources ?? []) {
    // Standard input has different content on every run, so a change is expected.
    if (source === '-' && change === 'other') continue
    if (change === 'grown')
      report.note(`${source}: ${plural(linesBefore, 'line')} taken before, new from line ${count(linesBefore + 1)}`)
    if (change === 'other')
      report.warning(
        `${source} does not begin with what was taken of it before (cut off, rotated or written anew): taken from its start`,
      )
  }
  for (const warning of pushed.warnings ?? []) report.warning(warning)
}

/** Prints the events of a durable delivery: recovered deliveries, warnings, and the removal of the target. */
export function printOutbox(report: Report, { description, outbox }: TargetOutcome): void {
  for (const { event, partition, since, until, detail } of outbox?.audited ?? [])
    report.note(`${event}: ${rangeText({ partition, since, until })} to ${description}: ${detail}`)
  for (const warning of outbox?.warnings ?? []) report.warning(warning)
  if (outbox?.isRemoved === true) report.warning(`${description} was removed meanwhile, and is given no more`)
}

/** A range of sequence numbers of a partition, as text. They are not line numbers of a file. */
export function rangeText({ partition, since, until }: Range & { readonly partition: string }): string {
  const numbers = until === since + 1 ? `number ${until}` : `numbers ${since + 1} to ${until}`
  return `${numbers} of ${partition.slice(0, 7)}`
}

/** Prints the records that a target has stored, also if it failed later. */
function printLanded(
  report: Report,
  { pushed, durationMs }: Pick<PushOutcome, 'pushed' | 'durationMs'>,
  target: TargetOutcome,
): void {
  const { description, failure } = target
  const landed = landedIn(target)
  // With one target the duration of the whole push matters; with several, the duration of each target shows the slow one.
  const tookMs = pushed.outcomes.length > 1 ? target.durationMs : durationMs
  if (failure !== undefined && landed.length === 0) return
  if (target.outbox?.byAnother === true)
    return report.verdict(true, 'ingested', `into ${description} by another push that ran at the same time`)
  const state = stateOf(target)
  if (state === 'removed' && landed.length === 0) return
  if (state === 'nothing new') return report.verdict(true, 'nothing new', `for ${description} in ${seconds(tookMs)}`)
  const { records, inserted, updated, unchanged } = totals(landed)
  const same = unchanged === 0 ? '' : `, ${count(unchanged)} of them unchanged`
  const numbers = `(${count(inserted)} inserted, ${count(updated)} updated${same})`
  const of = pushed.commit === undefined ? '' : ` of ${shortSha(pushed.commit)}`
  const what = `${plural(records, 'record')}${of} into ${description} ${numbers}`
  report.verdict(failure === undefined, 'ingested', `${what} in ${seconds(tookMs)}${tries(target)}`)
  for (const line of kindLines(target)) report.result(line)
}

function tries(target: TargetOutcome): string {
  const { retries } = target
  if (retries.length === 0) return ''
  return `, ${attemptsOf(target)} tries, ${seconds(waitedMs(retries))} of it waiting`
}

function printRetries(report: Report, { description, retries }: TargetOutcome): void {
  const last = retries.at(-1)
  if (last === undefined) return
  const tried = `${description} was tried again ${times(retries.length)}, the last time because of`
  report.warning(`${tried}: ${messageOf(last.error)}`)
  const lost = retries.filter(({ error }) => error instanceof AnswerLost).length
  if (lost === 0) return
  const what = `an answer of ${description} was lost ${times(lost)}`
  report.warning(`${what}: the records may have been applied before they were sent again, and then count as updated`)
}

/** Warns of the fields and records that an older target did not get. Printed at every verbosity, because the target is incomplete. */
export function printDowngrade(report: Report, target: TargetOutcome): void {
  const downgrade = downgradeOf(landedIn(target))
  if (downgrade !== undefined) report.warning(downgradeText(target.description, downgrade))
}

function printTrouble(report: Report, outcome: PushOutcome, target: TargetOutcome): void {
  const { description, receipts, failure } = target
  printRetries(report, target)
  printDowngrade(report, target)
  for (const { source, chunks } of receipts)
    if (chunks > 1)
      report.warning(`${source} went to ${description} as ${chunks} envelopes: each of them was committed by itself`)
  if (failure === undefined) return
  if (target.outbox !== undefined) return printKept(report, outcome, target)
  const where = outcome.pushed.outcomes.length > 1 ? ` in ${description}` : ''
  if (receipts.length > 0) report.failure(`${failure.source} did not land${where}; the files before it did`)
  const { exitCode, forgiven, required } = outcome.verdict
  if (required.has(target) && exitCode !== 0) report.error(failure.error)
  else report.tolerated(failure.error, forgiven ? 'allowed by --allow-failure' : 'best effort')
}

function printKept(report: Report, { verdict }: PushOutcome, target: TargetOutcome): void {
  const { description, failure, outbox } = target
  const decides = verdict.required.has(target) && verdict.exitCode !== 0
  const kept = outbox === undefined ? 0 : outbox.kept
  const what = `${plural(kept, 'record')} for ${description} kept in the outbox`
  if (kept > 0 && decides) report.failure(what)
  else if (kept > 0) report.warning(what)
  if (decides) report.error(failure?.error)
  else report.tolerated(failure?.error, verdict.forgiven ? 'allowed by --allow-failure' : 'best effort')
}

/** Prints at most one line, for any number of pages that could not be refreshed. */
function printRefreshed(report: Report, { refreshed }: PushOutcome): void {
  const [first, ...others] = refreshed?.problems ?? []
  if (first === undefined) return
  const what =
    refreshed?.revalidated === true ? 'the site was told, but not all of it is warm' : 'the site was not told'
  report.warning(`${what}: ${first}${others.length === 0 ? '' : ` (and ${count(others.length)} more)`}`)
}

function times(n: number): string {
  return n === 1 ? 'once' : `${n} times`
}

function shortSha(commit: { readonly sha: string } | undefined): string {
  return commit?.sha.slice(0, 7) ?? ''
}

function kindLines(target: TargetOutcome): readonly string[] {
  const kinds = kindTotals(landedIn(target))
  if (kinds.length > 0) return kinds.map(kindLine)
  return [...kindCounts(target)].map(([kind, records]) => `  ${kind.padEnd(20)} ${count(records).padStart(11)} records`)
}

function kindLine({ kind, records, inserted, updated }: KindReceipt): string {
  const cell = (value: number, word: string): string => `${count(value).padStart(11)} ${word}`
  return `  ${kind.padEnd(20)} ${cell(records, 'records')} ${cell(inserted, 'inserted')} ${cell(updated, 'updated')}`
}
