/** Where a CI service shows what went wrong, besides the log: implemented by those that can. */

export type Level = 'error' | 'warning'

/** `line` is 0 where it is about the whole source. */
export type Place = { readonly source: string; readonly line: number; readonly code: string }

/** What a text is part of, which says how something in it can be written in another way. */
export type Syntax = 'text' | 'json' | 'xml'

export interface Annotator {
  /** The same text, of which the service takes nothing for a command. */
  tamed(text: string, syntax: Syntax): string
  add(level: Level, message: string, place?: Place): void
  /** What to do about the last one. */
  hint(message: string): void
  /** That there were others, which are not listed. */
  more(level: Level, count: number): void
}
