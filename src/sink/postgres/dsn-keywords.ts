/** Reads a libpq keyword string (`host=db dbname='my db' …`), by the quoting rules of libpq's own reader. */
import { findKeyword, unknownKeyword } from './dsn-settings.js'
import type { Keyword, DsnSetting, DsnSettings } from './dsn-settings.js'
import { hasControlCharacter, dsnError } from './dsn-text.js'

// isspace() of C; JavaScript's \s knows more.
const SPACE = '[ \\t\\n\\v\\f\\r]'

/** A name ends at `=` or a space, and spaces may stand around the `=`. */
const NAME = new RegExp(`${SPACE}*([^= \\t\\n\\v\\f\\r]+)${SPACE}*(=?)${SPACE}*`, 'y')

/** `\` takes the next character as it is, inside quotes and out; a quote may only begin a value, and ends it. */
const QUOTED = /'((?:[^'\\]|\\[^])*)'/y
const PLAIN = /((?:[^\\ \t\n\v\f\r]|\\[^])*)\\?/y

/** @throws {IngestError} `usage`; no message repeats a value */
export function parseKeywords(text: string): DsnSettings {
  const settings = new Map<Keyword, DsnSetting>()
  const end = text.replace(/[ \t\n\v\f\r]+$/, '').length
  for (let at = 0; at < end;) {
    const name = match(NAME, text, at)
    if (name?.[2] !== '=') throw dsnError('the Postgres keyword string lacks an = after a name', EXAMPLE)
    const keyword = parseKeyword(name[1] ?? '')
    if (settings.has(keyword)) throw dsnError(`the Postgres keyword string gives ${keyword} twice`)
    const start = at + name[0].length
    const value = match(text[start] === "'" ? QUOTED : PLAIN, text, start)
    if (value === null) throw dsnError('a quote in the Postgres keyword string does not end', EXAMPLE)
    settings.set(keyword, { value: unescape(value[1] ?? '', keyword), label: keyword })
    at = start + value[0].length
  }
  return settings
}

const EXAMPLE = `the form is host=db.example.com dbname=bench user=bench_ingest password='it\\'s a secret'`

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

function parseKeyword(text: string): Keyword {
  const keyword = findKeyword(text)
  if (keyword === undefined) throw unknownKeyword(text, 'keyword string')
  return keyword
}

function unescape(text: string, keyword: Keyword): string {
  const value = text.replace(/\\([^])/g, '$1')
  // A NUL would end the string inside the start-up packet, and what follows would be read as further settings.
  if (hasControlCharacter(value))
    throw dsnError(`the ${keyword} in the Postgres keyword string holds a control character`)
  return value
}
