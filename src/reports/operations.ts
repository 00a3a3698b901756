/** Shapes of the reports of `doctor`, `migrate` and `serve`. */

import { ExitCode, Shape, TIME, WITHOUT_SECRETS, type ValueOf } from './shape.js'

const { constant, count, flag, integer, list, number, object, optional, orNull, text, words } = Shape

export const DoctorReportShape = object({
  command: constant('doctor'),
  exit_code: words(
    [0, 1, 69, 77, 78],
    'Exit code of the process. With several failures the first of: 77 (authentication), 78 (configuration, certificate, role, tables), 69 (target down), 1 (a defect of the program)',
  ),
  ready: flag('No check failed'),
  ok: count('Number of lines with this status'),
  warnings: count(),
  failures: count(),
  groups: list(
    object({
      name: text('program, configuration, or a target kind'),
      target: orNull(
        text(),
        'A description without secrets; null if there is no target or its settings cannot be read',
      ),
      lines: list(
        object({
          check: text('The name of the check, which may have several lines'),
          status: words(['ok', 'warn', 'fail']),
          fact: text('The finding, for people'),
          code: orNull(text(), 'The error code of a failure, as in other reports'),
          hint: orNull(text(), 'One thing to do'),
        }),
      ),
    }),
  ),
})
export type DoctorReport = ValueOf<typeof DoctorReportShape>

export const MigrateReportShape = object({
  command: constant('migrate'),
  exit_code: ExitCode,
  target: text(),
  applied: list(text()),
  already_there: list(text()),
  revoked: list(text(), 'Revoked memberships of roles: `rds_iam from bench_read`, or none'),
})
export type MigrateReport = ValueOf<typeof MigrateReportShape>

export const DeleteReportShape = object({
  command: constant('delete'),
  exit_code: ExitCode,
  dry_run: flag('True if the records were only counted'),
  target: text(),
  commit: text(),
  run: orNull(text(), 'The run whose records were deleted; null for the whole commit'),
  records: count('Number of records that were deleted'),
  deliveries: count('Number of deliveries that wrote them, as far as the database knows'),
  kinds: list(object({ kind: text(), records: count() })),
})
export type DeleteReport = ValueOf<typeof DeleteReportShape>

export const MigrateCheckReportShape = object({
  command: constant('migrate'),
  check: constant(true),
  exit_code: words([0, 78], 'Exit code of the process: 78 if the database differs'),
  target: text(),
  ledger_compared: flag('False if the role may not read the ledger, so that migrations were not compared'),
  drift: list(
    object({
      code: words([
        'missing_migration',
        'missing_optional_migration',
        'unknown_migration',
        'changed_migration',
        'missing_table',
        'missing_column',
        'wrong_type',
        'wrong_null',
        'required_column',
        'missing_key',
        'missing_index',
        'not_a_table',
        'trigger',
        'rule',
        'row_security',
        'token_login',
        'inherited_token_login',
      ]),
      object: text('A migration, a table, table.column or a role'),
      message: text(),
    }),
  ),
})
export type MigrateCheckReport = ValueOf<typeof MigrateCheckReportShape>

export const MigrateRepairReportShape = object({
  command: constant('migrate'),
  repair_timestamps: constant(true),
  exit_code: ExitCode,
  target: text(),
  examined: integer('Query measurements that were read'),
  repaired: integer('Query measurements whose commit_timestamp was set to the timestamp of their commit'),
})
export type MigrateRepairReport = ValueOf<typeof MigrateRepairReportShape>

export const ServeReportShape = object({
  command: constant('serve'),
  url: text('The address of the server, usable as --server'),
  host: text(),
  port: integer(),
  target: text(`${WITHOUT_SECRETS} of the store`),
  auth: words(['bearer', 'none']),
  schema_version: integer(),
  pid: integer(),
})
export type ServeReport = ValueOf<typeof ServeReportShape>

export const ServeLogLineShape = object({
  time: text(`When the answer was complete; ${TIME}`),
  method: text(),
  route: orNull(text(), 'The route as in docs/server.md; null for an unknown route. Never the requested path'),
  status: orNull(integer(), 'Null if the client disconnected before the answer'),
  ms: number(),
  bytes: optional(integer('Size of the request body, decompressed')),
  commit: optional(text('The commit whose records were applied')),
  records: optional(integer()),
  inserted: optional(integer()),
  updated: optional(integer()),
  error: optional(text('The error code of the answer, or client_gone')),
  reason: optional(text('The cause of the failure, redacted; clients never see it')),
})
export type ServeLogLine = ValueOf<typeof ServeLogLineShape>
