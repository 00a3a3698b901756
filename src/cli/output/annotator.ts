/** Shows errors and warnings in the user interface of a CI service, in addition to its log. */

export type Level = 'error' | 'warning'

/** Position of a problem in an input. `line` is 0 when the problem concerns the whole source. */
export type ProblemPosition = { readonly source: string; readonly line: number; readonly code: string }

/** Syntax of the output that a text is part of. It decides how characters in the text can be escaped. */
export type Syntax = 'text' | 'json' | 'xml'

export interface Annotator {
  /** Escapes the text so that the CI service does not interpret any part of it as a command. */
  tamed(text: string, syntax: Syntax): string
  add(level: Level, message: string, place?: ProblemPosition): void
  /** Adds a hint to the last annotation. */
  hint(message: string): void
  /** Reports that `count` more problems exist that are not listed. */
  more(level: Level, count: number): void
}
