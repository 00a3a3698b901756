/** Shapes of the reports about registered targets and their write settings: `targets`, `tune`, `promotions`, `promote` and `rollback`. */

import Type from 'typebox'
import { DamageCode, Shape, SuccessCode, TIME, type ValueOf } from './shape.js'
import { JournalEventShape, LagFields } from './state.js'

const { constant, count, flag, list, map, measured, object, ordinal, orNull, text, words } = Shape

const Settings = map(count(), 'Write settings by name (docs/tuning.md)')

const PromotionShape = object({
  id: text(),
  at: text(TIME),
  by: text(),
  note: orNull(text()),
  trial: text(),
  settings: Settings,
  rolled_back: orNull(object({ at: text(TIME), by: text() })),
})
export type PromotionReport = ValueOf<typeof PromotionShape>

const MeasuredShape = object({
  deliveries: count(),
  errors: count(),
  rows_per_second: measured(),
  p50_ms: measured(),
  p95_ms: measured(),
})
export type MeasuredReport = ValueOf<typeof MeasuredShape>

const TrialShape = object({
  id: text(),
  at: text(TIME),
  settings: Settings,
  champion: map(count(), 'The settings that this trial was compared with'),
  sample: object({ records: count(), bytes: count() }),
  result: orNull(
    object({
      ratio: measured('Speed relative to the champion'),
      won: flag(),
      challenger: MeasuredShape,
      champion: MeasuredShape,
    }),
    'Null for an interrupted trial',
  ),
})
export type TrialReport = ValueOf<typeof TrialShape>

export const TuneReportShape = object({
  command: constant('tune'),
  exit_code: words([0, 75]),
  target: text(),
  sample: object({
    source: text(),
    records: ordinal(),
    bytes: count(),
    inserted: count('Records that the target did not have before'),
  }),
  trials: list(TrialShape),
  champion: object({ settings: Settings, trial: orNull(text(), 'The trial of this run that found these settings') }),
  stopped: words(['trials', 'budget', 'cool-down', 'exhausted']),
  next_at: orNull(text(TIME), 'Time at which the next trial may begin; null if it may begin now'),
  duration_ms: count(),
})
export type TuneReport = ValueOf<typeof TuneReportShape>

export const PromoteReportShape = object({
  command: constant('promote'),
  exit_code: SuccessCode,
  target: text(),
  changed: flag(),
  promotion: PromotionShape,
})
export type PromoteReport = ValueOf<typeof PromoteReportShape>

export const RollbackReportShape = object({
  command: constant('rollback'),
  exit_code: SuccessCode,
  target: text(),
  from: PromotionShape,
  to: orNull(PromotionShape, 'Null for the defaults'),
})
export type RollbackReport = ValueOf<typeof RollbackReportShape>

export const PromotionsReportShape = object({
  command: constant('promotions'),
  exit_code: SuccessCode,
  targets: list(
    object({
      target: text(),
      active: orNull(text(), 'The id of a promotion; null for the defaults'),
      promotions: Type.Array(PromotionShape, { maxItems: 50 }),
      trials: list(TrialShape),
    }),
  ),
})
export type PromotionsReport = ValueOf<typeof PromotionsReportShape>

const RegisteredTargetFields = {
  name: text(),
  kind: Shape.targetKind(),
  address: text('Without secrets; for an archive, its bucket'),
  identity: text('The id of the target in the state'),
  secret_env: orNull(text(), 'The variable that holds its token or password'),
  required: flag(),
  bucket: orNull(text()),
  insecure_local: flag(),
  role_policy: orNull(text()),
  region: orNull(text()),
  pii: text('keep, mask or drop: personal data in what the target gets'),
  added_at: text(),
}

const RegisteredTargetShape = object(RegisteredTargetFields)
export type RegisteredTargetReport = ValueOf<typeof RegisteredTargetShape>

export const TargetsAddReportShape = object({
  command: constant('targets add'),
  exit_code: SuccessCode,
  target: RegisteredTargetShape,
  pruned_records: count('Records that were pruned from the state before the target was added'),
  pruned_commits: count('Commits of those records'),
})
export type TargetsAddReport = ValueOf<typeof TargetsAddReportShape>

const LagShape = object(LagFields)
export type LagReport = ValueOf<typeof LagShape>

const TargetHealthFields = {
  lag: orNull(LagShape),
  last_success: orNull(text()),
  last_error: orNull(JournalEventShape),
  settings: words(['defaults', 'promoted']),
  promotion: orNull(PromotionShape, 'The promotion whose settings are used; null for the defaults'),
}
export type TargetHealthReport = Pick<TargetsListReport['targets'][number], keyof typeof TargetHealthFields>

const UnregisteredTargetShape = object({ identity: text(), kind: text(), lag: orNull(LagShape) })
export type UnregisteredTargetReport = ValueOf<typeof UnregisteredTargetShape>

export const TargetsListReportShape = object({
  command: constant('targets ls'),
  exit_code: DamageCode,
  targets: list(
    object({
      ...RegisteredTargetFields,
      reachable: orNull(flag(), 'Null if the target was not checked'),
      problem: orNull(text()),
      ...TargetHealthFields,
    }),
  ),
  unregistered: list(UnregisteredTargetShape, 'Targets with undelivered records that were named only by flags'),
  problems: list(text(), 'Objects that could not be read'),
})
export type TargetsListReport = ValueOf<typeof TargetsListReportShape>

export const TargetsRemoveReportShape = object({
  command: constant('targets rm'),
  exit_code: SuccessCode,
  name: text(),
  identity: text(),
})
export type TargetsRemoveReport = ValueOf<typeof TargetsRemoveReportShape>

export const TargetsSetReportShape = object({
  command: constant('targets set'),
  exit_code: SuccessCode,
  name: text(),
  required: flag(),
  changed: flag(),
})
export type TargetsSetReport = ValueOf<typeof TargetsSetReportShape>
