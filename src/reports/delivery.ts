/** Shapes of the reports about deliveries: `push`, `drain` and `recover`. */

import { PII_MODES } from '../contract/pii-mode.js'
import { FailureShape, RejectFilesShape, RejectionShape, WarningShape } from './records.js'
import { ExitCode, Shape, SuccessCode, WITHOUT_SECRETS, type ValueOf } from './shape.js'

const { constant, count, flag, list, object, optional, ordinal, orNull, recordKind, text, words } = Shape

const TargetKind = Shape.targetKind()

/** A range of the sequence numbers of one partition: after `since`, up to and including `until`. */
const RangeFields = { since: count(), until: count() }

export const AuditRowShape = object({
  id: text(),
  at: text(),
  event: text(),
  target: text(),
  partition: text(),
  detail: text(),
  ...RangeFields,
})

const PendingFields = { id: text(), target: text(), partition: text('A commit'), ...RangeFields }

/** An interrupted or running delivery, with the time at which it began. */
export const IntentFields = { ...PendingFields, at: text() }

const SAME = 'The part of updated whose stored values were already the same'

const TotalsFields = {
  records: count(),
  inserted: count(),
  updated: count('Rows whose id existed, including a second occurrence in the same file'),
  unchanged: count(SAME),
}

const CHUNKS = 'Committed parts: transactions or envelopes'
const FAILED = 'The file that was not delivered, and the error; later files were not tried'

const LeftOutField = object({ kind: text(), field: text(), records: ordinal() })

const DowngradeShape = object({
  contract_version: ordinal(),
  fields_left_out: list(LeftOutField),
  records_not_sent: list(LeftOutField),
})
export type DowngradeReport = ValueOf<typeof DowngradeShape>

const OutboxShape = object({
  delivered: orNull(
    object(RangeFields),
    'The part of the outbox that was delivered by this command: after since, up to until',
  ),
  by_another: flag('Another command that ran at the same time delivered the new records'),
  queued: count('Records that the target does not have yet'),
  audited: list(AuditRowShape, 'Recovered deliveries'),
  warnings: list(text()),
})

const TargetOutcomeShape = object({
  name: text('Registered name of the target, otherwise its kind'),
  kind: TargetKind,
  target: text(WITHOUT_SECRETS),
  status: words(
    ['delivered', 'nothing new', 'queued', 'failed', 'removed'],
    'queued: records remain in the outbox for the next push or drain; removed: the target was removed before it had every record',
  ),
  required: flag('A failure of this target fails the command'),
  ...TotalsFields,
  unchanged: count(`${SAME}; 0 for a server, which does not report it`),
  superseded: count('Records that were left out because a newer run had delivered other values'),
  ordered: orNull(
    flag(),
    'Whether the target refuses to replace newer values by older ones; null if nothing was delivered to it',
  ),
  personal_data: orNull(
    words(PII_MODES),
    'What happened to names, addresses and tokens before the target got them (--pii); null if nothing was delivered to it',
  ),
  chunks: count(CHUNKS),
  attempts: count('All attempts, successful or not'),
  duration_ms: count('Time spent on this target'),
  waited_ms: count('Time spent waiting between attempts'),
  retries: list(
    object({
      error: text(),
      answer_lost: flag('The whole request was sent, so it may have been applied before it was repeated'),
      waited_ms: count(),
    }),
    'Failed attempts that were repeated',
  ),
  failed: orNull(FailureShape, FAILED),
  downgrade: orNull(
    DowngradeShape,
    'With --downgrade: fields and records that the older contract version of the target cannot hold; null if everything was sent',
  ),
  outbox: orNull(OutboxShape, 'Null without --state'),
})
export type TargetReport = ValueOf<typeof TargetOutcomeShape>

const ExplainedSettings = optional(
  list(
    object({
      target: text(),
      kind: TargetKind,
      settings: list(
        object({
          name: text(),
          value: count(),
          origin: text('A flag, a variable, promoted, or default'),
          trial: orNull(text()),
        }),
      ),
    }),
    'With --explain: the write settings of each target and their origin',
  ),
)

export const PushReportShape = object({
  command: constant('push'),
  exit_code: ExitCode,
  dry_run: flag(),
  commit: orNull(text()),
  run: object({ benchmark_id: text(), schema_version: ordinal(), started_at: text() }),
  target: orNull(
    text(),
    'The target that the totals of this report are about: the first required one. A description without secrets',
  ),
  ...TotalsFields,
  chunks: count(CHUNKS),
  kinds: list(object({ kind: recordKind(), ...TotalsFields })),
  files: list(object({ source: text(), attempts: ordinal(), ...TotalsFields })),
  targets: list(TargetOutcomeShape, 'Empty if nothing was sent'),
  lines: count(),
  accepted: count('Records that passed every check'),
  rejected: count('Rejected lines; nothing is sent then, unless rejects is set'),
  rejects: orNull(
    RejectFilesShape,
    'With --on-error reject: where the rejected lines are; the other lines were delivered',
  ),
  rejections: list(RejectionShape, 'The first ones'),
  warned: count(),
  warnings: list(WarningShape, 'The first ones'),
  failed: orNull(FailureShape, FAILED),
  site: orNull(
    object({ revalidated: flag(), warmed: count('Pages fetched'), problems: list(text()) }),
    'Result of refreshing the site; null if no site was to be refreshed',
  ),
  sources: orNull(
    list(object({ source: text(), change: words(['new', 'unchanged', 'grown', 'other']), lines_before: count() })),
    'With --state: the change of each source since the last push; null without --state',
  ),
  explain: ExplainedSettings,
  duration_ms: count(),
  skipped: optional(text('With --no-secrets skip: the reason why nothing was sent, because the CI run has no secrets')),
})
export type PushReport = ValueOf<typeof PushReportShape>

export const DrainReportShape = object({
  command: words(['drain', 'recover']),
  exit_code: Shape.integer(),
  targets: list(TargetOutcomeShape),
  left: list(object(PendingFields), 'Interrupted deliveries to targets that were not named'),
  discarded: list(AuditRowShape, 'Interrupted deliveries to targets that were removed'),
  swept: count('Deleted objects of processes that ended before they enqueued them'),
  explain: ExplainedSettings,
  duration_ms: count(),
})
export type DrainReport = ValueOf<typeof DrainReportShape>

export const RecoverPlanShape = object({
  command: constant('recover'),
  dry_run: constant(true),
  exit_code: SuccessCode,
  intents: list(object({ ...IntentFields, abandoned: flag('The owner is gone: recover would finish this delivery') })),
})
export type RecoverPlan = ValueOf<typeof RecoverPlanShape>
