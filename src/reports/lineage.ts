/** Shape of the report of `lineage`. The route `GET /api/deliveries` of a server answers its parts. */

import { Shape, SuccessCode, TIME, WITHOUT_SECRETS, type ValueOf } from './shape.js'

const { constant, count, digits, integer, list, map, object, orNull, recordKind, text } = Shape

const SourceShape = object({
  name: text('The relative name of the file, the base name of any other file, or - for standard input'),
  hash: orNull(text(), 'XXH64 of all bytes of the source, decompressed: xxh64: and 16 hexadecimal digits'),
  first_line: integer('The delivered lines, counted from 1'),
  last_line: integer(),
})

const DeliveryShape = object({
  id: text(),
  stored: orNull(
    count(),
    'Number of those values that this delivery was the last to write or confirm; null if not known',
  ),
  benchmark_id: orNull(text()),
  producer: orNull(text(), 'The CI service and the project whose runs are numbered together'),
  run: orNull(integer()),
  attempt: orNull(integer()),
  run_url: orNull(text(), 'The web page of the CI run'),
  produced_at: orNull(text(), `When the records were read; ${TIME}`),
  applied_at: orNull(text(), `When the target stored them; ${TIME}; null in a state and in an archive`),
  sources: list(SourceShape),
  source_count: count('Number of all sources, of which `sources` may have only the first'),
  records: orNull(map(integer()), 'Number of records that were sent, by kind'),
  tool_version: orNull(text(), 'The program that read the sources'),
  contract_version: orNull(integer()),
  target: orNull(text(), WITHOUT_SECRETS),
})
export type DeliveryEntry = ValueOf<typeof DeliveryShape>

export const LineageReportShape = object({
  command: constant('lineage'),
  exit_code: SuccessCode,
  place: text(`The database, server, state or archive; ${WITHOUT_SECRETS.toLowerCase()}`),
  commit: text(),
  measurement: orNull(
    object({ id: digits('The measurement_id'), kind: recordKind() }),
    'Null if the deliveries of a commit were asked for',
  ),
  deliveries: list(DeliveryShape, 'The newest first. The first one with a stored value has the value that is stored'),
})
export type LineageReport = ValueOf<typeof LineageReportShape>
