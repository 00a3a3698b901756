/** Problems of records and envelopes, independent of the file and line that they come from. */

import { visibleText } from '../visible-text.js'

export type ProblemCode =
  | 'not_object'
  | 'unknown_kind'
  | 'missing_field'
  | 'unknown_field'
  | 'not_string'
  | 'not_integer'
  | 'not_number'
  | 'not_array'
  | 'out_of_range'
  | 'commit_mismatch'
  | 'not_full_sha'
  | 'bad_value'
  | 'partial_fields'
  | 'nul_in_string'

/**
 * A problem of a record. `pointer` is a JSON pointer into the record (RFC 6901); empty when the whole record is meant.
 */
export type Problem = { readonly pointer: string; readonly code: ProblemCode; readonly message: string }

/** A JSON pointer to a member of the root object. */
export function pointerTo(name: string): string {
  return `/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`
}

/** Quotes external text for a message: at most `max` characters, with invisible characters escaped. */
export function quote(text: string, max = 60): string {
  return visibleText(JSON.stringify(text.length <= max ? text : `${text.slice(0, max)}…`))
}
