/** The shape of the report about personal data: `pii scan`. */

import { ExitCode, Shape, WITHOUT_SECRETS, type ValueOf } from './shape.js'

const { constant, count, flag, list, object, ordinal, orNull, text } = Shape

export const PiiScanReportShape = object({
  findings: list(
    object({
      source: orNull(text(), 'The file; null for a row of a database'),
      line: orNull(ordinal()),
      column: orNull(ordinal(), 'The character of the line at which the data, or the string that holds it, begins'),
      table: orNull(text(), 'The table; null for a line of a file'),
      id: orNull(text(), 'The id of the commit, or the lowest id of the measurements that have the same text'),
      rows: ordinal('Number of rows that have the same text'),
      field: text('JSON pointer or column; empty for a line that is no JSON'),
      rule: text('email, person-name, or the issuer or format of a token'),
      sample: text('The first character and the length; never the data'),
      dimension: flag('The data is part of ids, so --pii does not change it'),
    }),
  ),
  command: constant('pii scan'),
  exit_code: ExitCode,
  target: orNull(text(WITHOUT_SECRETS), 'The database; null if only files were read'),
  files: count(),
  lines: count(),
  found: count('Number of findings'),
})
export type PiiScanReport = ValueOf<typeof PiiScanReportShape>
