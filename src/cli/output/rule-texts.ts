/** One-line descriptions of the rejection and warning codes, for report formats that list rules. */

import type { RejectionCode, WarningCode } from '../../source/rejection.js'

export type RuleCode = RejectionCode | WarningCode

export const RULE_TEXTS: Readonly<Record<RuleCode, string>> = {
  not_object: 'A line must be one JSON object.',
  unknown_kind: 'A record must be of a kind that the contract names.',
  missing_field: 'A record must have every required field of its kind.',
  unknown_field: 'A record may have no field but those of its kind.',
  not_string: 'The field takes a string.',
  not_integer: 'The field takes an integer without fraction, exponent or quotes.',
  not_number: 'The field takes a number.',
  not_array: 'The field takes an array of integers.',
  out_of_range: 'The integer must fit into the bits of its field.',
  commit_mismatch: 'Every record must name the commit of the push.',
  bad_value: 'The field takes one of a few values.',
  partial_fields: 'The memory fields must all be there, or none of them.',
  nul_in_string: 'A string may not hold U+0000, which a database cannot store.',
  invalid_json: 'A line must be valid JSON.',
  number_out_of_range: 'A number must be within the range of a double.',
  lone_surrogate: 'A string may not hold half of a surrogate pair.',
  too_deep: 'A record may not be nested that deeply.',
  byte_order_mark: 'A line may not begin with a byte-order mark.',
  invalid_utf8: 'A line must be valid UTF-8.',
  line_too_long: 'A line may not be longer than the limit.',
  record_too_large: 'A record must fit into an envelope.',
  inexact_threshold: 'A server may read this threshold one unit off.',
  duplicate_id: 'A measurement should be in a file once; the last one wins.',
  empty_input: 'A file should hold records.',
  several_commits: 'A push takes records of one commit.',
}
