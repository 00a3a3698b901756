/** Prints the result of a push as text: the verdict, then the numbers, then hints. */

import type { UsedSetting } from '../../../database/tunables.js'
import type { PushResult } from '../../../delivery/push.js'
import type { DeliveryResult, TargetResult, Totals } from '../../../delivery/result.js'
import type { ExplainedSettings } from '../../../delivery/settings.js'
import type { Range } from '../../../state/intent.js'
import type { KindReceipt } from '../../../source/delivery.js'
import { failureCause, IngestError, messageOf } from '../../../errors.js'
import { rejectPlaces } from '../../output/rejects-report.js'
import type { SavedRejects } from '../../../source/rejects.js'
import { downgradeText } from '../../output/downgrade-report.js'
import { LongList } from '../../output/long-list.js'
import { count, plural, seconds, type Report } from '../../output/report.js'
import { countChecked, type PushOutcome } from './report.js'

/** @param besideJson stdout carries JSON, so only warnings and errors are printed, on stderr */
export function printHuman(report: Report, { result, refreshed }: PushOutcome, besideJson: boolean): void {
  const { notes, dryRun, targets } = result
  for (const warning of notes.warnings) report.lineWarning(warning)
  if (notes.warned > notes.warnings.length)
    report.warning(
      `and ${count(notes.warned - notes.warnings.length)} more; vortex-ingest validate --format json lists them`,
    )
  if (notes.rejected > 0) printRejections(report, result)
  if (notes.rejected > 0 && result.rejects === undefined) return printNothingSent(report, result)
  if (!besideJson && dryRun) printDryRun(report, result)
  printSources(report, result)
  if (!besideJson) for (const target of targets) printDelivered(report, result, target)
  for (const target of targets) {
    printOutbox(report, target)
    printTrouble(report, result, target)
  }
  if (!besideJson) printExplained(report, result.explained ?? [])
  printRefreshed(report, refreshed)
  if (result.rejects !== undefined) printRejects(report, result, result.rejects)
}

function printRejections(report: Report, { notes }: PushResult): void {
  const list = new LongList(report, 'stderr', 'more rejected lines')
  for (const rejection of notes.rejections) {
    list.next()
    report.rejection(rejection)
  }
  list.end()
  report.annotator?.more('error', notes.rejected - notes.rejections.length)
}

function printNothingSent(report: Report, { inspections, commitSha, notes, maxRejections }: PushResult): void {
  const bad = inspections.map(({ source }) => source).filter(source => notes.rejectedSources.has(source))
  const isBeyond = maxRejections !== undefined && commitSha !== undefined
  const limit = isBeyond ? `, more than --max-rejections ${maxRejections} allows` : ''
  report.failure(`nothing was sent: ${plural(notes.rejected, 'line')} rejected in ${bad.join(', ')}${limit}`)
  if (notes.rejections.some(({ code }) => code === 'record_too_large'))
    return report.hint('increase --max-envelope-bytes if the server accepts larger envelopes')
  if (isBeyond && maxRejections === 0) return report.hint('allow some with --max-rejections N or P%')
  if (notes.rejected <= notes.rejections.length) return
  // A push always requires a single commit; `validate` checks the commit only with --commit-sha.
  const sameCommit = commitSha === undefined ? '' : ` --commit-sha ${commitSha}`
  report.hint(`vortex-ingest validate ${bad.join(' ')}${sameCommit} --format json lists all of them`)
}

/** Printed last, because it says why the exit code is 3. */
function printRejects(report: Report, result: PushResult, rejects: SavedRejects): void {
  const { rejected, file, id } = rejects
  const counts = `${plural(rejected, 'line')} rejected, ${count(countChecked(result))} accepted`
  if (id === undefined) return report.failure(`${counts}; a push delivers the accepted ones`)
  report.failure(`${counts}; the rejected ones are in ${rejectPlaces(rejects)}`)
  if (file !== undefined) return report.hint(`repair the lines in ${file} and push that file`)
  report.hint(`\`vortex-ingest state rejects export FILE ${id}\` writes them to a file; repair and push it`)
}

function printDryRun(report: Report, result: PushResult): void {
  const { sources, commit } = result
  const isUnchanged = sources?.every(({ change }) => change === 'unchanged') === true
  if (isUnchanged) return report.verdict(true, 'dry run:', 'nothing new in the input; nothing was sent')
  const what = `${plural(countChecked(result), 'record')} of ${shortSha(commit)}`
  report.verdict(true, 'dry run:', `${what} would be sent; nothing was`)
}

/** Prints how the inputs changed since they were last read into the state. */
function printSources(report: Report, { sources, warnings }: PushResult): void {
  for (const { source, change, linesBefore } of sources ?? []) {
    // Standard input has different content on every run, so a change is expected.
    if (source === '-' && change === 'other') continue
    if (change === 'grown')
      report.note(`${source}: ${plural(linesBefore, 'line')} enqueued before, new from line ${count(linesBefore + 1)}`)
    if (change === 'other')
      report.warning(
        `${source} has changed at its beginning since it was enqueued (truncated, rotated or rewritten): read from its start`,
      )
  }
  for (const warning of warnings) report.warning(warning)
}

/** Prints the events of a durable delivery: recovered deliveries, warnings, and the removal of the target. */
export function printOutbox(report: Report, { description, outbox, status }: TargetResult): void {
  for (const { event, partition, since, until, detail } of outbox?.audited ?? [])
    report.note(`${event}: ${rangeText({ partition, since, until })} to ${description}: ${detail}`)
  for (const warning of outbox?.warnings ?? []) report.warning(warning)
  if (status === 'removed') report.warning(`${description} was removed meanwhile, so nothing more is delivered to it`)
}

/** A range of sequence numbers of a partition, as text. They are not line numbers of a file. */
export function rangeText({ partition, since, until }: Range & { readonly partition: string }): string {
  return `${numbersText(since + 1, until)} of ${partition.slice(0, 7)}`
}

/** An audit row of a lost lease has no last number, because everything after the first one is delivered again. */
function numbersText(first: number, last: number): string {
  if (last < first) return `numbers from ${first}`
  return first === last ? `number ${last}` : `numbers ${first} to ${last}`
}

/** The counts of a target in parentheses. Records that were left out are not counted as updated here. */
export function totalsText({ inserted, updated, unchanged, superseded = 0 }: Totals): string {
  // A server reports no unchanged records, whether it left records out or not.
  const same = Math.max(0, unchanged - superseded)
  const parts = [
    `${count(inserted)} inserted`,
    `${count(updated - superseded)} updated`,
    ...(same === 0 ? [] : [`${count(same)} of them unchanged`]),
    ...(superseded === 0 ? [] : [`${count(superseded)} left out`]),
  ]
  return `(${parts.join(', ')})`
}

/** Prints the records that a target has stored, also if it failed later. */
function printDelivered(report: Report, { targets, commit, durationMs }: PushResult, target: TargetResult): void {
  const { description, error, status, records, chunks } = target
  // With one target the duration of the whole push matters; with several, the duration of each target shows the slow one.
  const tookMs = targets.length > 1 ? target.durationMs : durationMs
  if (error !== undefined && chunks === 0) return
  if (target.outbox?.byAnother === true)
    return report.verdict(true, 'ingested', `into ${description} by another push that ran at the same time`)
  if (status === 'removed' && chunks === 0) return
  if (status === 'nothing new') return report.verdict(true, 'nothing new', `for ${description} in ${seconds(tookMs)}`)
  const of = commit === undefined ? '' : ` of ${shortSha(commit)}`
  const what = `${plural(records, 'record')}${of} into ${description} ${totalsText(target)}`
  report.verdict(error === undefined, 'ingested', `${what} in ${seconds(tookMs)}${attemptsText(target)}`)
  for (const line of kindLines(target)) report.result(line)
  if (target.pii === 'mask') report.result('  personal data was masked (--pii mask)')
  if (target.pii === 'drop') report.result('  personal data was dropped (--pii drop)')
}

function attemptsText({ retries, attempts, waitedMs }: TargetResult): string {
  return retries.length === 0 ? '' : `, ${attempts} attempts, ${seconds(waitedMs)} of it waiting`
}

function printRetries(report: Report, { description, retries, lostAnswers }: TargetResult): void {
  const last = retries.at(-1)
  if (last === undefined) return
  const retried = `${description} was retried ${times(retries.length)}, the last time because of`
  report.warning(`${retried}: ${messageOf(last.error)}`)
  if (lostAnswers === 0) return
  const what = `an answer of ${description} was lost ${times(lostAnswers)}`
  report.warning(`${what}: the records may have been applied before they were sent again, and then count as updated`)
}

/** Warns of the fields and records that an older target did not get. Printed at every verbosity, because the target is incomplete. */
export function printDowngrade(report: Report, { description, downgrade }: TargetResult): void {
  if (downgrade !== undefined) report.warning(downgradeText(description, downgrade))
}

/** Warns of records that a newer run has delivered with other values. */
export function printSuperseded(report: Report, { description, superseded = 0 }: TargetResult): void {
  if (superseded === 0) return
  const what = `${plural(superseded, 'record')} left out, because ${description} holds newer values`
  report.warning(`${what} (--force-older replaces them)`)
}

function printTrouble(report: Report, result: PushResult, target: TargetResult): void {
  const { description, receipts, error, failedSource, outbox } = target
  printRetries(report, target)
  printDowngrade(report, target)
  printSuperseded(report, target)
  for (const { source, chunks } of receipts)
    if (chunks > 1)
      report.warning(`${source} went to ${description} as ${chunks} envelopes: each of them was committed by itself`)
  if (error === undefined) return
  if (outbox !== undefined) printQueued(report, result, target)
  else if (receipts.length > 0) {
    const where = result.targets.length > 1 ? ` in ${description}` : ''
    report.failure(`${failedSource} was not stored completely${where}; the files before it were`)
  }
  if (failsCommand(result, target)) report.error(error)
  else report.tolerated(error, result.isForgiven ? 'allowed by --allow-failure' : 'best effort')
}

function printQueued(report: Report, result: DeliveryResult, target: TargetResult): void {
  const queued = target.outbox?.queued ?? 0
  const stay = `${plural(queued, 'record')} for ${target.description} stay${queued === 1 ? 's' : ''} queued in the outbox`
  const what = isRefused(target) ? `${stay} until the target accepts them: it refuses them, it is not down` : stay
  if (queued > 0 && failsCommand(result, target)) report.failure(what)
  else if (queued > 0) report.warning(what)
}

function isRefused({ error }: TargetResult): boolean {
  return error instanceof IngestError && failureCause(error.code) === 'refuses'
}

function failsCommand({ exitCode }: DeliveryResult, { isRequired }: TargetResult): boolean {
  return isRequired && exitCode !== 0
}

export function printExplained(report: Report, explained: readonly ExplainedSettings[]): void {
  for (const { target, settings } of explained) {
    if (settings.length === 0) report.result(`${target}: no write settings`)
    for (const setting of settings) report.result(`${target}: ${usedSettingText(setting)}`)
  }
}

/** A setting with its value and origin, such as `copy-bytes 1,048,576 (promoted, trial 0123456789ab)`. */
function usedSettingText({ name, value, origin, trial }: UsedSetting): string {
  return `${name} ${count(value)} (${origin}${trial === undefined ? '' : `, trial ${trial}`})`
}

/** Prints at most one line, for any number of pages that could not be refreshed. */
function printRefreshed(report: Report, refreshed: PushOutcome['refreshed']): void {
  const [first, ...others] = refreshed?.problems ?? []
  if (first === undefined) return
  const what =
    refreshed?.revalidated === true ? 'the site was notified, but not all pages are warm' : 'the site was not notified'
  report.warning(`${what}: ${first}${others.length === 0 ? '' : ` (and ${count(others.length)} more)`}`)
}

function times(n: number): string {
  return n === 1 ? 'once' : `${n} times`
}

function shortSha(commit: { readonly sha: string } | undefined): string {
  return commit?.sha.slice(0, 7) ?? ''
}

function kindLines({ kinds, counts }: TargetResult): readonly string[] {
  if (kinds.length > 0) return kinds.map(kindLine)
  return [...counts].map(([kind, records]) => `  ${kind.padEnd(20)} ${count(records).padStart(11)} records`)
}

function kindLine({ kind, records, inserted, updated, superseded = 0 }: KindReceipt): string {
  const cell = (value: number, word: string): string => `${count(value).padStart(11)} ${word}`
  return `  ${kind.padEnd(20)} ${cell(records, 'records')} ${cell(inserted, 'inserted')} ${cell(updated - superseded, 'updated')}`
}
