/** The JSON report of a push (schemas/v1/push-report.json). */

import type { RunMeta } from '../../../contract/commit.js'
import { lowestIn } from '../../../contract/version-set.js'
import type { OutboxOutcome, TargetOutcome } from '../../../delivery/deliver.js'
import type { SourceTaken } from '../../../delivery/durable/take-in.js'
import type { DurablyPushed } from '../../../delivery/durable/push.js'
import type { Pushed } from '../../../delivery/push.js'
import type { Refreshed } from '../../../delivery/refresh-site.js'
import { messageOf } from '../../../errors.js'
import { redact } from '../../../redact.js'
import type { Retry } from '../../../http/retry.js'
import { AnswerLost } from '../../../http/connection-error.js'
import type { KindReceipt, Receipt } from '../../../source/delivery.js'
import { downgradeOf, downgradeReport } from '../../output/downgrade-report.js'
import { errorReport } from '../../output/error-report.js'
import { explainReport, type Explained } from './explain-report.js'
import type { Notes } from '../../output/notes.js'
import type { Verdict } from './verdict.js'
import type { PushReport, TargetReport } from '../../../reports/delivery.js'

export type PushOutcome = {
  readonly pushed: Pushed & Partial<DurablyPushed>
  readonly notes: Notes
  readonly run: RunMeta
  readonly dryRun: boolean
  readonly verdict: Verdict
  /** Undefined if no site was to be refreshed. */
  readonly refreshed: Refreshed | undefined
  /** Undefined without `--explain`. */
  readonly explained: readonly Explained[] | undefined
  readonly durationMs: number
}

export type Totals = Omit<KindReceipt, 'kind'>

export function pushReport(outcome: PushOutcome): PushReport {
  const { pushed, notes, run, dryRun, verdict, refreshed, explained, durationMs } = outcome
  const { inspections, outcomes, commit } = pushed
  const deciding = decidingOf(outcome)
  const landed = deciding === undefined ? [] : landedIn(deciding)
  return {
    command: 'push',
    exit_code: verdict.exitCode,
    dry_run: dryRun,
    commit: commit?.sha ?? null,
    run: { ...run, schema_version: Math.max(1, ...inspections.map(({ fits }) => lowestIn(fits))) },
    target: deciding?.description ?? null,
    ...(dryRun ? { records: checked(pushed), inserted: 0, updated: 0, unchanged: 0 } : totals(landed)),
    chunks: chunksOf(landed),
    kinds: kindTotals(landed),
    files: (deciding?.receipts ?? []).map(receipt => ({
      source: receipt.source,
      attempts: receipt.chunks + receipt.retries,
      ...totals([receipt]),
    })),
    targets: outcomes.map(one => targetReport(one, verdict)),
    lines: inspections.reduce((all, { lines }) => all + lines, 0),
    rejected: notes.rejected,
    rejections: notes.rejections,
    warned: notes.warned,
    warnings: notes.warnings,
    failed: failureOf(deciding),
    site: refreshed ?? null,
    sources: pushed.sources?.map(sourceReport) ?? null,
    ...(explained !== undefined && { explain: explainReport(explained) }),
    duration_ms: Math.round(durationMs),
  }
}

/** The target whose figures stand at the top of the report: the first required target, otherwise the first target. */
export function decidingOf({ pushed, verdict }: PushOutcome): TargetOutcome | undefined {
  return pushed.outcomes.find(outcome => verdict.required.has(outcome)) ?? pushed.outcomes[0]
}

export function targetReport(outcome: TargetOutcome, { required }: Pick<Verdict, 'required'>): TargetReport {
  const { name, kind, description, retries, durationMs } = outcome
  const landed = landedIn(outcome)
  return {
    name,
    kind,
    target: description,
    state: stateOf(outcome),
    required: required.has(outcome),
    ...totals(landed),
    chunks: chunksOf(landed),
    attempts: attemptsOf(outcome),
    duration_ms: Math.round(durationMs),
    waited_ms: waitedMs(retries),
    retries: retries.map(retryReport),
    failed: failureOf(outcome),
    downgrade: downgradeReport(downgradeOf(landed)),
    outbox: outcome.outbox === undefined ? null : outboxReport(outcome.outbox),
  }
}

/** The state of a target after a push, in a word. */
export function stateOf({ failure, outbox }: TargetOutcome): TargetReport['state'] {
  if (outbox?.isRemoved === true) return 'removed'
  if (failure !== undefined) return outbox === undefined || outbox.kept === 0 ? 'failed' : 'kept'
  const isIdle = outbox !== undefined && outbox.delivered === undefined && outbox.byAnother !== true
  return isIdle ? 'nothing new' : 'delivered'
}

function outboxReport({
  delivered,
  byAnother = false,
  kept,
  audited,
  warnings,
}: OutboxOutcome): TargetReport['outbox'] {
  return { delivered: delivered ?? null, by_another: byAnother, kept, audited, warnings: warnings.map(redact) }
}

function sourceReport({ source, change, linesBefore }: SourceTaken): NonNullable<PushReport['sources']>[number] {
  return { source, change, lines_before: linesBefore }
}

function retryReport({ error, waitMs }: Retry): TargetReport['retries'][number] {
  const answer_lost = error instanceof AnswerLost
  return { error: redact(messageOf(error)), answer_lost, waited_ms: Math.round(waitMs) }
}

function failureOf(outcome: TargetOutcome | undefined): TargetReport['failed'] {
  const failure = outcome?.failure
  return failure === undefined ? null : { source: failure.source, ...errorReport(failure.error) }
}

/** Number of attempts: successful ones, retries, and the one that finally failed. */
export function attemptsOf(outcome: TargetOutcome): number {
  const { retries, failure } = outcome
  return chunksOf(landedIn(outcome)) + retries.length + (failure === undefined ? 0 : 1)
}

/** Receipts for all stored records: whole files, and the stored chunks of a file that failed. */
export function landedIn({ receipts, partial }: TargetOutcome): readonly Receipt[] {
  return partial === undefined ? receipts : [...receipts, partial]
}

export function waitedMs(retries: readonly Retry[]): number {
  return Math.round(retries.reduce((all, { waitMs }) => all + waitMs, 0))
}

function chunksOf(receipts: readonly Receipt[]): number {
  return receipts.reduce((all, { chunks }) => all + chunks, 0)
}

/** Number of records that passed every check. */
export function checked({ inspections }: Pushed): number {
  return inspections.reduce((all, { records }) => all + records, 0)
}

export function totals(receipts: readonly Receipt[]): Totals {
  const of = (key: 'records' | 'inserted' | 'updated'): number => receipts.reduce((all, one) => all + one[key], 0)
  const unchanged = sum(receipts.flatMap(({ kinds }) => kinds)).unchanged
  return { records: of('records'), inserted: of('inserted'), updated: of('updated'), unchanged }
}

/** Delivered records per kind, for targets that do not report inserted and updated rows per kind. */
export function kindCounts({ receipts, partial }: TargetOutcome): ReadonlyMap<string, number> {
  const all = new Map<string, number>()
  // The records of a partly delivered file are not counted per kind.
  if (partial !== undefined) return all
  for (const [kind, records] of receipts.flatMap(({ counts }) => [...counts]))
    all.set(kind, (all.get(kind) ?? 0) + records)
  return all
}

export function kindTotals(receipts: readonly Receipt[]): readonly KindReceipt[] {
  const all = receipts.flatMap(({ kinds }) => kinds)
  const names = [...new Set(all.map(({ kind }) => kind))]
  return names.map(name => ({ kind: name, ...sum(all.filter(({ kind }) => kind === name)) }))
}

function sum(parts: readonly Totals[]): Totals {
  const of = (key: keyof Totals): number => parts.reduce((total, part) => total + part[key], 0)
  return { records: of('records'), inserted: of('inserted'), updated: of('updated'), unchanged: of('unchanged') }
}
