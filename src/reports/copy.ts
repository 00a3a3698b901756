/** Shape of the report of `copy`. */

import { Shape, WITHOUT_SECRETS, type ValueOf } from './shape.js'

const { constant, count, integer, list, object, orNull, text, words } = Shape

export const CopyReportShape = object({
  command: constant('copy'),
  exit_code: words(
    [0, 4],
    'Exit code of the process: 4 if a stored id is not the id of its row, or the target differs from the source',
  ),
  source: text(WITHOUT_SECRETS),
  target: text(WITHOUT_SECRETS),
  continued_after: orNull(text(), 'The position after which an interrupted copy was continued; null if none was'),
  commits: count('Commits that were copied'),
  records: count('Records that were copied'),
  inserted: count(),
  updated: count('Records whose measurement was stored at the target before'),
  unchanged: count('The part of updated whose row was not rewritten'),
  mismatched: count('Rows whose stored id is not the id of their dimensions; they are copied only with --trust-ids'),
  mismatches: list(
    object({
      table: text(),
      stored_id: text('The id that the source has'),
      id: text('The id of the dimensions'),
    }),
    'The first mismatched rows',
  ),
  verified: orNull(
    object({
      compared: integer('Records that were compared with the rows of the target, value by value'),
      different: count('Records that the target lacks or has with another value'),
      newer: count('Records whose row at the target comes from a delivery, which is newer than a copy'),
      differences: list(
        object({
          place: text('Table and id of the row, or the commit'),
          code: words(['missing', 'different', 'extra']),
          message: text(),
        }),
        'The first differences',
      ),
    }),
    'Null with --no-verify',
  ),
})
export type CopyReport = ValueOf<typeof CopyReportShape>
