/** What is wrong with a record or an envelope, before anybody knows in which line of which file it stood. */

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
  | 'bad_value'
  | 'partial_fields'
  | 'nul_in_string'

/** `pointer` is a JSON pointer into the record (RFC 6901), empty for the record itself. */
export type Problem = { readonly pointer: string; readonly code: ProblemCode; readonly message: string }

/** One step of a JSON pointer. */
export function pointerTo(name: string): string {
  return `/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`
}

/** At most `max` characters of a text that came from outside, quoted and free of control characters. */
export function quote(text: string, max = 60): string {
  return JSON.stringify(text.length <= max ? text : `${text.slice(0, max)}…`)
}
