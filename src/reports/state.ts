/** Shapes of the reports about a state: `status`, `state`, `journal` and `buckets`. */

import Type from 'typebox'
import { AuditRowShape, IntentFields } from './delivery.js'
import { ErrorCauseFields } from './records.js'
import {
  DamageCode,
  ExitCode,
  FailureCauseShape,
  Shape,
  SuccessCode,
  TIME,
  WITHOUT_SECRETS,
  type ValueOf,
} from './shape.js'

const { constant, count, flag, list, object, ordinal, orNull, text, words } = Shape

const JournalSubject = words(['target', 'bucket'])

export const JournalEventShape = object({
  id: text(),
  time: text(TIME),
  subject: JournalSubject,
  name: text(),
  operation: text(),
  code: text(),
  message: text('Without secrets'),
  attempt: ordinal(),
  run: text('The benchmark id of a push, otherwise the command'),
})
export type JournalEventReport = ValueOf<typeof JournalEventShape>

export const LagFields = {
  records: count(),
  bytes: count(),
  commits: count(),
  oldest: orNull(text(), 'Time at which the oldest undelivered record was queued'),
  pruned_records: count('Records that were pruned before the target got them'),
  pruned_commits: count('Commits of those records'),
}

export const StatusReportShape = object({
  command: constant('status'),
  exit_code: DamageCode,
  state: text(WITHOUT_SECRETS),
  commits: count(),
  records: count('Records in the outbox'),
  bytes: count(),
  targets: list(
    object({
      target: text(WITHOUT_SECRETS),
      kind: text(),
      lag: object({ ...LagFields, age_seconds: count() }),
      failure: FailureCauseShape,
      last_error: orNull(JournalEventShape, 'The failure since which nothing was delivered'),
    }),
  ),
  rejected: object({ lines: count('Rejected lines that wait for a repair'), sets: count() }),
  intents: list(object(IntentFields), 'Running and interrupted deliveries'),
  audit: list(AuditRowShape, 'The last rows, newest first'),
  problems: list(text(), 'Objects that could not be read'),
})
export type StatusReport = ValueOf<typeof StatusReportShape>

const StateFields = { exit_code: ExitCode, state: text('A description of the place of the state') }

export const StateListReportShape = object({
  command: constant('state ls'),
  ...StateFields,
  prefix: text(),
  objects: list(object({ key: text(), bytes: count() })),
})
export type StateListReport = ValueOf<typeof StateListReportShape>

export const StateGetReportShape = object({
  command: constant('state get'),
  ...StateFields,
  key: text(),
  bytes: count(),
  encoding: words(['utf8', 'base64'], 'Encoding of body'),
  body: text(),
})
export type StateGetReport = ValueOf<typeof StateGetReportShape>

export const StateExportReportShape = object({
  command: constant('state export'),
  ...StateFields,
  file: text(),
  objects: count(),
})
export type StateExportReport = ValueOf<typeof StateExportReportShape>

export const StateImportReportShape = object({
  command: constant('state import'),
  ...StateFields,
  file: text(),
  objects: count(),
})
export type StateImportReport = ValueOf<typeof StateImportReportShape>

const RejectSetShape = object({
  id: text(),
  at: text(TIME),
  commit: text('The commit of the push that rejected the lines'),
  sources: list(text(), 'The inputs that the lines come from'),
  lines: count(),
})
export type RejectSetReport = ValueOf<typeof RejectSetShape>

export const StateRejectsListReportShape = object({
  command: constant('state rejects ls'),
  ...StateFields,
  sets: list(RejectSetShape, 'Oldest first'),
})
export type StateRejectsListReport = ValueOf<typeof StateRejectsListReportShape>

export const StateRejectsExportReportShape = object({
  command: constant('state rejects export'),
  ...StateFields,
  file: orNull(text(), 'Null if there are no rejected lines, because then no file is written'),
  reasons: orNull(text()),
  lines: count(),
  sets: list(RejectSetShape),
})
export type StateRejectsExportReport = ValueOf<typeof StateRejectsExportReportShape>

export const StateRejectsRemoveReportShape = object({
  command: constant('state rejects rm'),
  ...StateFields,
  sets: list(RejectSetShape, 'The removed lines'),
})
export type StateRejectsRemoveReport = ValueOf<typeof StateRejectsRemoveReportShape>

const SkippedCommits = list(
  object({ commit: text(), reason: text() }),
  'Commits that another process is delivering; run the command again',
)

export const StateCompactReportShape = object({
  command: constant('state compact'),
  ...StateFields,
  dry_run: flag(),
  commits: list(
    object({
      commit: text(),
      batches_before: count(),
      batches_after: count(),
      objects_before: count(),
      objects_after: count(),
      bytes: count('Bytes that were, or would be, rewritten'),
    }),
    'Commits whose batches were, or would be, merged',
  ),
  skipped: SkippedCommits,
})
export type StateCompactReport = ValueOf<typeof StateCompactReportShape>

export const StatePruneReportShape = object({
  command: constant('state prune'),
  ...StateFields,
  dry_run: flag(),
  commits: list(
    object({
      commit: text(),
      batches: count(),
      records: count(),
      bytes: count(),
      lost: list(
        object({ target: text(), records: count() }),
        'With --force: undelivered records that each target will never get',
      ),
    }),
    'Commits whose records were, or would be, removed',
  ),
  rejected: list(RejectSetShape, 'With --force: rejected lines that were, or would be, removed'),
  skipped: SkippedCommits,
})
export type StatePruneReport = ValueOf<typeof StatePruneReportShape>

export const JournalReportShape = object({
  command: constant('journal'),
  exit_code: DamageCode,
  events: list(JournalEventShape, 'Newest first'),
  problems: list(text(), 'Objects that could not be read'),
})
export type JournalReport = ValueOf<typeof JournalReportShape>

const JournalSizeShape = object({ objects: count(), events: count() })

export const JournalCompactReportShape = object({
  command: constant('journal compact'),
  exit_code: SuccessCode,
  before: JournalSizeShape,
  after: JournalSizeShape,
})
export type JournalCompactReport = ValueOf<typeof JournalCompactReportShape>

const HealthShape = object({
  name: text(),
  subject: JournalSubject,
  state: words(['ok', 'recovered', 'failing', 'unknown']),
  failure: FailureCauseShape,
  errors: count(),
  last_success: orNull(text()),
  last_error: orNull(JournalEventShape),
})
export type HealthReport = ValueOf<typeof HealthShape>

export const JournalHealthReportShape = object({
  command: constant('journal health'),
  exit_code: DamageCode,
  minutes: count(),
  health: list(HealthShape),
  problems: list(text()),
})
export type JournalHealthReport = ValueOf<typeof JournalHealthReportShape>

const BucketShape = object({
  name: text(),
  backend: words(['state', 'local', 's3', 'memory']),
  root: text(),
  built_in: flag(),
  used_by: list(text(), 'Targets'),
})
export type BucketReport = ValueOf<typeof BucketShape>

export const BucketsListReportShape = object({
  command: constant('buckets ls'),
  exit_code: SuccessCode,
  buckets: list(BucketShape),
})
export type BucketsListReport = ValueOf<typeof BucketsListReportShape>

export const BucketsAddReportShape = object({
  command: constant('buckets add'),
  exit_code: SuccessCode,
  name: text(),
  root: text(),
})
export type BucketsAddReport = ValueOf<typeof BucketsAddReportShape>

export const BucketsRemoveReportShape = object({
  command: constant('buckets rm'),
  exit_code: SuccessCode,
  name: text(),
})
export type BucketsRemoveReport = ValueOf<typeof BucketsRemoveReportShape>

export const BucketsGetReportShape = object({
  command: constant('buckets get'),
  exit_code: SuccessCode,
  asked: text(),
  answered: text(),
  rescued: flag(),
  key: text(),
  bytes: count(),
  body: Type.String({ contentEncoding: 'base64' }),
})
export type BucketsGetReport = ValueOf<typeof BucketsGetReportShape>

export const BucketsPutReportShape = object({
  command: constant('buckets put'),
  exit_code: SuccessCode,
  bucket: text(),
  key: text(),
  bytes: count(),
})
export type BucketsPutReport = ValueOf<typeof BucketsPutReportShape>

const RecheckTotals = {
  compared: count('Measurements that were compared'),
  missing: count('Measurements and commits that the target lacks'),
  different: count('Measurements with another value that no newer delivery is known to have written'),
  superseded: count('Measurements with another value that a newer delivery wrote, which is no difference'),
  pruned: count('Delivered records that cannot be compared, because their lines were pruned'),
}

export const RecheckReportShape = object({
  command: constant('verify'),
  ...StateFields,
  targets: list(
    object({
      name: text('Registered name of the target, otherwise its kind'),
      kind: text(),
      target: text('The target id'),
      not_checkable: orNull(text(), 'The reason why the target cannot be read back'),
      failed: orNull(object(ErrorCauseFields), 'The error that ended the comparison'),
      commits: count('Commits that were delivered to the target'),
      ...RecheckTotals,
      findings: list(
        object({
          commit: text(),
          ...RecheckTotals,
          ordered: flag('Whether another value is replaced by the next drain unless a newer delivery wrote it'),
          rewound: orNull(
            object({ until: count('The new watermark'), records: count('Records that the next drain delivers') }),
            'With --rewind: how far the watermark was moved back',
          ),
        }),
        'Commits with missing, different or pruned records',
      ),
    }),
  ),
})
export type RecheckReport = ValueOf<typeof RecheckReportShape>
