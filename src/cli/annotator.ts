/** Where a CI service shows what went wrong, besides the log: implemented by those that can. */

export type Level = 'error' | 'warning'

/** `line` is 0 where it is about the whole source. */
export type Place = { readonly source: string; readonly line: number; readonly code: string }

export interface Annotator {
  add(level: Level, message: string, place?: Place): void
  /** What to do about the last one. */
  hint(message: string): void
  /** That there were others, which are not listed. */
  more(level: Level, count: number): void
}
