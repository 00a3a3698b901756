/** The JSON Schemas of all reports, as published under `schemas/v1`. Only the generator loads this file. */

import type { TSchema } from 'typebox'
import {
  ChangesAcceptedReportShape,
  ChangesAcceptReportShape,
  ChangesReportShape,
  ChangesWithdrawReportShape,
  NotifyReportShape,
} from './changes.js'
import { CompareReportShape } from './compare.js'
import { DrainReportShape, PushReportShape, RecoverPlanShape } from './delivery.js'
import { LineageReportShape } from './lineage.js'
import {
  DoctorReportShape,
  MigrateCheckReportShape,
  MigrateRepairReportShape,
  MigrateReportShape,
  ServeLogLineShape,
  ServeReportShape,
} from './operations.js'
import { PiiScanReportShape } from './pii.js'
import {
  ErrorReportShape,
  GoldenCheckReportShape,
  IdLineShape,
  RejectReasonShape,
  ValidateReportShape,
  VerifyReportShape,
} from './records.js'
import {
  BucketsAddReportShape,
  BucketsGetReportShape,
  BucketsListReportShape,
  BucketsPutReportShape,
  BucketsRemoveReportShape,
  JournalCompactReportShape,
  JournalHealthReportShape,
  JournalReportShape,
  RecheckReportShape,
  StateCompactReportShape,
  StateExportReportShape,
  StateGetReportShape,
  StateImportReportShape,
  StateListReportShape,
  StatePruneReportShape,
  StateRejectsExportReportShape,
  StateRejectsListReportShape,
  StateRejectsRemoveReportShape,
  StatusReportShape,
} from './state.js'
import {
  PromoteReportShape,
  PromotionsReportShape,
  RollbackReportShape,
  TargetsAddReportShape,
  TargetsListReportShape,
  TargetsRemoveReportShape,
  TargetsSetReportShape,
  TuneReportShape,
} from './targets.js'

/** Reports whose title is not that of the command in their file name. */
const TITLES: Readonly<Record<string, string>> = {
  'drain-report': 'JSON report of drain and of recover',
  'error-report': 'JSON report of any command that fails before it has a result',
  'id-line': 'One line of id --format json',
  'reject-reason': 'One line of FILE.reasons.jsonl: why a line was rejected',
  'journal-report': 'JSON report of journal',
  'migrate-check-report': 'JSON report of migrate --check',
  'migrate-repair-report': 'JSON report of migrate --repair-timestamps',
  'recover-plan': 'JSON report of recover --dry-run',
  'serve-log-line': 'One line of the log of serve on stderr: one request',
  'state-rejects-export-report': 'JSON report of state rejects export',
  'state-rejects-ls-report': 'JSON report of state rejects ls',
  'state-rejects-rm-report': 'JSON report of state rejects rm',
  'verify-state-report': 'JSON report of verify --state',
  'serve-report': 'JSON report of serve, printed on one line when it starts to listen',
  'golden-check-report': 'JSON report of golden-check',
}

const REPORT_SHAPES: Readonly<Record<string, TSchema>> = {
  'buckets-add-report': BucketsAddReportShape,
  'buckets-get-report': BucketsGetReportShape,
  'buckets-ls-report': BucketsListReportShape,
  'buckets-put-report': BucketsPutReportShape,
  'buckets-rm-report': BucketsRemoveReportShape,
  'changes-accept-report': ChangesAcceptReportShape,
  'changes-accepted-report': ChangesAcceptedReportShape,
  'changes-report': ChangesReportShape,
  'changes-withdraw-report': ChangesWithdrawReportShape,
  'compare-report': CompareReportShape,
  'doctor-report': DoctorReportShape,
  'drain-report': DrainReportShape,
  'error-report': ErrorReportShape,
  'golden-check-report': GoldenCheckReportShape,
  'id-line': IdLineShape,
  'journal-compact-report': JournalCompactReportShape,
  'journal-health-report': JournalHealthReportShape,
  'journal-report': JournalReportShape,
  'lineage-report': LineageReportShape,
  'migrate-check-report': MigrateCheckReportShape,
  'migrate-repair-report': MigrateRepairReportShape,
  'migrate-report': MigrateReportShape,
  'notify-report': NotifyReportShape,
  'pii-scan-report': PiiScanReportShape,
  'promote-report': PromoteReportShape,
  'promotions-report': PromotionsReportShape,
  'push-report': PushReportShape,
  'recover-plan': RecoverPlanShape,
  'reject-reason': RejectReasonShape,
  'rollback-report': RollbackReportShape,
  'serve-log-line': ServeLogLineShape,
  'serve-report': ServeReportShape,
  'state-compact-report': StateCompactReportShape,
  'state-export-report': StateExportReportShape,
  'state-get-report': StateGetReportShape,
  'state-import-report': StateImportReportShape,
  'state-ls-report': StateListReportShape,
  'state-prune-report': StatePruneReportShape,
  'state-rejects-export-report': StateRejectsExportReportShape,
  'state-rejects-ls-report': StateRejectsListReportShape,
  'state-rejects-rm-report': StateRejectsRemoveReportShape,
  'status-report': StatusReportShape,
  'targets-add-report': TargetsAddReportShape,
  'targets-ls-report': TargetsListReportShape,
  'targets-rm-report': TargetsRemoveReportShape,
  'targets-set-report': TargetsSetReportShape,
  'tune-report': TuneReportShape,
  'validate-report': ValidateReportShape,
  'verify-report': VerifyReportShape,
  'verify-state-report': RecheckReportShape,
}

/** The text of each schema file, by its path in the package. */
export function reportSchemas(): ReadonlyMap<string, string> {
  const files = Object.entries(REPORT_SHAPES).map(([name, shape]) => {
    const head = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `https://vortex-ingest.dev/schemas/v1/${name}.json`,
      title: TITLES[name] ?? `JSON report of ${name.replace(/-report$/, '').replace('-', ' ')}`,
    }
    return [`schemas/v1/${name}.json`, `${JSON.stringify({ ...head, ...shape }, undefined, 2)}\n`] as const
  })
  return new Map(files)
}
