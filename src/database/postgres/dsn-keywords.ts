/** Parses a libpq keyword string (`host=db dbname='my db' …`) by libpq's quoting rules. */
import { findKeyword, unknownKeyword, type Keyword, type DsnSetting, type DsnSettings } from './dsn-settings.js'
import { hasControlCharacter, dsnError } from './dsn-text.js'

// The characters of C's isspace(). JavaScript's \s matches more.
const SPACE = '[ \\t\\n\\v\\f\\r]'

/** A name, which ends at `=` or a space, and the `=`, which may have spaces around it. */
const NAME = new RegExp(`${SPACE}*([^= \\t\\n\\v\\f\\r]+)${SPACE}*(=?)${SPACE}*`, 'y')

/** `\` escapes the next character in quoted and plain values. A quoted value begins with a quote and ends at the next one. */
const QUOTED = /'((?:[^'\\]|\\[^])*)'/y
const PLAIN = /((?:[^\\ \t\n\v\f\r]|\\[^])*)\\?/y

/** Parses a keyword string. @throws {IngestError} `usage`. No message repeats a value, because it may be a password */
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
  // A NUL would end the string in the start-up packet, and the server would read the rest as further settings.
  if (hasControlCharacter(value))
    throw dsnError(`the ${keyword} in the Postgres keyword string holds a control character`)
  return value
}
