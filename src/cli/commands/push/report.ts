/** The JSON report of a push (schemas/v1/push-report.json). */

import { lowestIn } from '../../../contract/version-set.js'
import type { SourceRead } from '../../../delivery/durable/enqueue.js'
import type { PushResult } from '../../../delivery/push.js'
import type { Refreshed } from '../../../delivery/refresh-site.js'
import { totalReceipts, type OutboxResult, type TargetResult, type Totals } from '../../../delivery/result.js'
import type { ExplainedSettings } from '../../../delivery/settings.js'
import { failureCause, messageOf } from '../../../errors.js'
import { AnswerLost } from '../../../http/connection-error.js'
import type { Retry } from '../../../http/retry.js'
import type { PushReport, TargetReport } from '../../../reports/delivery.js'
import { redact } from '../../../redact.js'
import { downgradeReport } from '../../output/downgrade-report.js'
import { errorReport } from '../../output/error-report.js'
import { rejectsReport } from '../../output/rejects-report.js'

export type PushOutcome = {
  readonly result: PushResult
  /** Undefined if no site was to be refreshed. */
  readonly refreshed: Refreshed | undefined
}

export function pushReport({ result, refreshed }: PushOutcome): PushReport {
  const { exitCode, dryRun, commit, run, inspections, deciding, notes, sources, explained, durationMs, rejects } =
    result
  return {
    command: 'push',
    exit_code: exitCode,
    dry_run: dryRun,
    commit: commit?.sha ?? null,
    run: { ...run, schema_version: Math.max(1, ...inspections.map(({ fits }) => lowestIn(fits))) },
    target: deciding?.description ?? null,
    ...(deciding === undefined
      ? { records: dryRun ? countChecked(result) : 0, inserted: 0, updated: 0, unchanged: 0 }
      : totals(deciding)),
    chunks: deciding?.chunks ?? 0,
    kinds: (deciding?.kinds ?? []).map(one => ({ kind: one.kind, ...totals(one) })),
    files: (deciding?.receipts ?? []).map(receipt => ({
      source: receipt.source,
      attempts: receipt.chunks + receipt.retries,
      ...totals(totalReceipts([receipt])),
    })),
    targets: result.targets.map(targetReport),
    lines: inspections.reduce((all, { lines }) => all + lines, 0),
    accepted: countChecked(result),
    rejected: notes.rejected,
    rejects: rejectsReport(rejects),
    rejections: notes.rejections,
    warned: notes.warned,
    warnings: notes.warnings,
    failed: failureReport(deciding),
    site: refreshed ?? null,
    sources: sources?.map(sourceReport) ?? null,
    ...(explained !== undefined && { explain: explainReport(explained) }),
    duration_ms: Math.round(durationMs),
  }
}

export function targetReport(target: TargetResult): TargetReport {
  const { name, kind, description, status, isRequired, chunks, attempts, retries, waitedMs, durationMs } = target
  return {
    name,
    kind,
    target: description,
    status,
    required: isRequired,
    ...totals(target),
    superseded: target.superseded ?? 0,
    ordered: target.isOrdered ?? null,
    personal_data: target.pii ?? null,
    chunks,
    attempts,
    duration_ms: Math.round(durationMs),
    waited_ms: waitedMs,
    retries: retries.map(retryReport),
    failed: failureReport(target),
    downgrade: downgradeReport(target.downgrade),
    outbox: target.outbox === undefined ? null : outboxReport(target.outbox),
  }
}

export function explainReport(explained: readonly ExplainedSettings[]): NonNullable<PushReport['explain']> {
  return explained.map(({ target, kind, settings }) => ({
    target,
    kind,
    settings: settings.map(({ name, value, origin, trial }) => ({ name, value, origin, trial: trial ?? null })),
  }))
}

/** Number of records that passed every check. */
export function countChecked({ inspections }: Pick<PushResult, 'inspections'>): number {
  return inspections.reduce((all, { records }) => all + records, 0)
}

function totals({ records, inserted, updated, unchanged }: Totals): Omit<Totals, 'superseded'> {
  return { records, inserted, updated, unchanged }
}

function outboxReport({ delivered, byAnother, queued, audited, warnings }: OutboxResult): TargetReport['outbox'] {
  return { delivered: delivered ?? null, by_another: byAnother, queued, audited, warnings: warnings.map(redact) }
}

function sourceReport({ source, change, linesBefore }: SourceRead): NonNullable<PushReport['sources']>[number] {
  return { source, change, lines_before: linesBefore }
}

function retryReport({ error, waitMs }: Retry): TargetReport['retries'][number] {
  const answer_lost = error instanceof AnswerLost
  return { error: redact(messageOf(error)), answer_lost, waited_ms: Math.round(waitMs) }
}

function failureReport(target: TargetResult | undefined): TargetReport['failed'] {
  if (target?.error === undefined) return null
  const error = errorReport(target.error)
  return { source: target.failedSource ?? '', cause: failureCause(error.code) ?? null, ...error }
}
