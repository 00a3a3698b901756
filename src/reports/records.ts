/** Shapes of the reports about records: `validate`, `verify`, `id` and `golden-check`, and of the report of a failed command. */

import Type from 'typebox'
import { ExitCode, FailureCauseShape, RECORD_KINDS, Shape, type ValueOf } from './shape.js'

const { constant, count, digits, flag, list, object, ordinal, orNull, recordKind, text, words } = Shape

export const RejectionShape = object({
  source: text(),
  line: ordinal(),
  byte: count(),
  pointer: text('JSON pointer into the record; empty for the whole line'),
  code: text(),
  message: text(),
})

/** Where rejected lines were written. */
export const RejectFilesShape = object({
  lines: count('Number of rejected lines'),
  file: orNull(text(), 'The file with the lines'),
  reasons: orNull(text(), 'The file with the reasons'),
  set: orNull(text(), 'The id of the lines; null in a dry run'),
  in_state: flag('Whether they are in the state too'),
})

/** A line of the file with the reasons, which is beside the file with the rejected lines. */
export const RejectReasonShape = object({
  rejects_line: ordinal('The line in the file with the rejected lines'),
  set: text('The id of the rejected lines: the same lines of the same inputs have the same id'),
  source: text('The input that the line comes from'),
  line: ordinal(),
  byte: count(),
  pointer: text('JSON pointer into the record; empty for the whole line'),
  code: text(),
  message: text(),
})
export type RejectReason = ValueOf<typeof RejectReasonShape>

export const WarningShape = object({
  source: text(),
  line: count('0 for the whole source'),
  pointer: text(),
  code: words([
    'inexact_threshold',
    'duplicate_id',
    'empty_input',
    'non_positive_value',
    'no_runs',
    'value_outside_runs',
    'personal_data',
  ]),
  message: text(),
})

const ErrorFields = { code: text(), message: text(), hint: orNull(text()) }

export const ErrorCauseFields = { cause: FailureCauseShape, ...ErrorFields }

/** An error that stopped the delivery of one source. */
export const FailureShape = object({ source: text(), ...ErrorCauseFields })

export const ErrorReportShape = object({ exit_code: ExitCode, error: object(ErrorFields) })
export type ErrorReport = ValueOf<typeof ErrorReportShape>

export const ValidateReportShape = object({
  rejections: list(RejectionShape),
  command: constant('validate'),
  exit_code: ExitCode,
  valid: flag(),
  stopped_early: flag(),
  lines: count(),
  records: count('Accepted records'),
  rejected: count('Rejected lines'),
  accepted_file: orNull(text(), 'With --accepted: the file with the accepted lines'),
  rejects: orNull(RejectFilesShape, 'With --rejects: where the rejected lines are; null if none was rejected'),
  kinds: Type.Unsafe<Record<string, number>>({
    ...{ type: 'object', additionalProperties: count() },
    propertyNames: { type: 'string', enum: RECORD_KINDS },
  }),
  files: list(
    object({
      source: text(),
      lines: count(),
      records: count(),
      rejected: count(),
      contract_version: orNull(
        ordinal(),
        'The lowest contract version that fits all records; null if there are no records',
      ),
    }),
  ),
  warned: count(),
  warnings: list(WarningShape, 'The first 1,000'),
})
export type ValidateReport = ValueOf<typeof ValidateReportShape>

export const VerifyReportShape = object({
  differences: list(
    object({
      source: text(),
      line: count(),
      kind: text(),
      measurement_id: text(),
      code: words(['missing', 'different', 'extra']),
      message: text(),
    }),
  ),
  command: constant('verify'),
  exit_code: ExitCode,
  target: text(),
  target_version: orNull(Shape.integer(), 'Contract version of the target; null if nothing was compared'),
  compared: count(),
  different: count(),
  rejected: count(),
  not_compared: object(
    {
      fields: list(
        object({ kind: text(), field: text(), records: ordinal(), missing_in: words(['target', 'file']) }),
        'Fields that one side lacks, with the number of compared records',
      ),
      records: list(
        object({ kind: text(), field: text(), records: ordinal() }),
        'Records that were not looked for, because the target lacks one of their dimensions',
      ),
    },
    'The part that was not compared, because file and target have different contract versions',
  ),
})
export type VerifyReport = ValueOf<typeof VerifyReportShape>

const LARGE_INTEGER = 'A signed 64-bit integer as text, because it does not fit in a double'

export const IdLineShape = object({
  source: text(),
  line: ordinal(),
  kind: recordKind(),
  measurement_id: digits(LARGE_INTEGER),
})
export type IdLine = ValueOf<typeof IdLineShape>

export const GoldenCheckReportShape = object({
  command: constant('golden-check'),
  exit_code: ExitCode,
  schema_version: ordinal('The newest contract version of this program'),
  files: list(
    object({
      file: text(),
      contract_version: ordinal('The contract version of the ids in this file'),
      vectors: count(),
      checks: list(
        object({
          implementation: text(),
          mismatched: count(),
          first: list(
            object({
              index: count(),
              table: text(),
              expected: digits(LARGE_INTEGER),
              got: digits(LARGE_INTEGER),
            }),
          ),
        }),
      ),
    }),
  ),
  anchors: object({ checked: list(text()), broken: list(text()) }),
})
export type GoldenCheckReport = ValueOf<typeof GoldenCheckReportShape>
