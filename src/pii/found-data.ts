/** Personal data that a scan has found: its place, its rule and a redacted sample. */

import { findPersonalData } from './detect.js'
import { EMAIL_RULE, isMasked, NAME_RULE, type PiiFinding } from './rules.js'

/** A line of a file, or a row of a table. Lines and columns count from 1. */
type FoundPlace =
  | { readonly source: string; readonly line: number; readonly column: number }
  | { readonly table: string; readonly id: string; readonly rows: number }

export type FoundData = {
  readonly place: FoundPlace
  /** A JSON pointer into the line, or the name of a column; empty for a line that is no JSON. */
  readonly field: string
  readonly rule: string
  /** The first character and the length, never more. */
  readonly sample: string
  /** The data is part of an id, so `--pii` does not change it. */
  readonly isDimension: boolean
}

/** A text with its name, which decides whether the whole text is personal data. */
export type NamedText = { readonly name: string; readonly text: string }

const WHOLE_FIELDS: Readonly<Record<string, string>> = {
  author_name: NAME_RULE,
  committer_name: NAME_RULE,
  author_email: EMAIL_RULE,
  committer_email: EMAIL_RULE,
}

const MAX_KNOWN = 10_000

/** Finds personal data in many texts, of which most are equal. */
export class TextScanner {
  readonly #known = new Map<string, readonly PiiFinding[]>()

  /** The findings of each text, in order. */
  async find(texts: readonly NamedText[]): Promise<readonly (readonly PiiFinding[])[]> {
    if (this.#known.size > MAX_KNOWN) this.#known.clear()
    const others = texts.filter(({ name }) => WHOLE_FIELDS[name] === undefined).map(({ text }) => text)
    const unknown = [...new Set(others)].filter(text => !this.#known.has(text))
    const found = unknown.length === 0 ? [] : await findPersonalData(unknown)
    for (const [index, text] of unknown.entries()) this.#known.set(text, found[index]!)
    return texts.map(({ name, text }) => wholeFinding(name, text) ?? this.#known.get(text)!)
  }
}

function wholeFinding(name: string, text: string): readonly PiiFinding[] | undefined {
  const rule = WHOLE_FIELDS[name]
  if (rule === undefined) return undefined
  return text === '' || isMasked(text) ? [] : [{ rule, start: 0, end: text.length }]
}

/** Enough to recognise one's own data, too little to use it. */
export function redactedSample(text: string, { start, end }: PiiFinding): string {
  const [first = ''] = text.slice(start, end)
  return `${first}… (${end - start} characters)`
}
