/**
 * Parses the two forms of a Postgres DSN, a URL and a libpq keyword string (`host=db dbname='my db' …`), into settings. Unknown
 * parts are rejected, because ignoring them could weaken the connection.
 */

import {
  KEYWORDS,
  dsnError,
  findKeyword,
  hasControlCharacter,
  unknownKeyword,
  type DsnSetting,
  type DsnSettings,
  type Keyword,
} from './dsn-settings.js'

const FORM = 'postgres://USER@HOST:PORT/DATABASE'
const URL_FORM =
  /^postgres(?:ql)?:\/\/(?:(?<login>[^@/?#]*)@)?(?<server>[^@/?#]*)(?:\/(?<path>[^@/?#]*))?(?:\?(?<query>[^@#]*))?$/i

/**
 * Settings with a fixed position in a URL. As query parameters they are rejected, because they could contradict that position.
 */
const POSITIONAL: readonly string[] = ['host', 'port', 'dbname', 'user', 'password'] satisfies Keyword[]

/** Parses a URL. Empty parts are left out, so that the environment can provide them. @throws {IngestError} `usage` */
export function parseUrl(text: string): DsnSettings {
  const { login, server, path, query } = splitUrl(text.trim())
  const settings = parseQuery(query)
  const set = (keyword: Keyword, value: string): void => {
    if (value !== '') settings.set(keyword, { value, label: keyword })
  }
  const { hosts, ports } = splitServers(server)
  // libpq has lists of hosts and ports, in which an empty port stands for the default port.
  if (hosts.some(host => host !== '')) set('host', hosts.join(','))
  if (ports.some(port => port !== '')) set('port', ports.join(','))
  const colon = login.indexOf(':')
  set('user', decode(colon < 0 ? login : login.slice(0, colon), 'user'))
  set('password', colon < 0 ? '' : decode(login.slice(colon + 1), 'password'))
  set('dbname', decode(path, 'database'))
  return settings
}

function splitUrl(text: string): Record<'login' | 'server' | 'path' | 'query', string> {
  if (!/^postgres(ql)?:\/\//i.test(text)) {
    throw dsnError(
      'a Postgres DSN starts with postgres:// or postgresql://, or is a keyword string (host=… dbname=…)',
      `the form is ${FORM}`,
    )
  }
  const parts = URL_FORM.exec(text)?.groups
  if (!parts || hasControlCharacter(text) || text.includes(' ')) {
    throw dsnError(
      'the Postgres URL cannot be read',
      'write @ : / ? # % and spaces in user and password percent-encoded: %40 %3A %2F %3F %23 %25 %20',
    )
  }
  const { login = '', server = '', path = '', query = '' } = parts
  return { login, server, path, query }
}

function splitServers(server: string): { hosts: string[]; ports: string[] } {
  const hosts: string[] = []
  const ports: string[] = []
  for (const endpoint of server.split(',')) {
    const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(endpoint)
    if (parts === null) throw dsnError('the host in the Postgres URL is neither a name nor an IP address')
    const [, bracketed, plain = '', port = ''] = parts
    hosts.push(bracketed === undefined ? decode(plain, 'host') : `[${bracketed}]`)
    ports.push(decode(port, 'port'))
  }
  return { hosts, ports }
}

function parseQuery(query: string): Map<Keyword, DsnSetting> {
  const settings = new Map<Keyword, DsnSetting>()
  for (const pair of query.split('&').filter(Boolean)) {
    const equals = pair.indexOf('=')
    const keyword = parseParameter(equals < 0 ? pair : pair.slice(0, equals))
    if (settings.has(keyword)) throw dsnError(`the Postgres URL gives ${keyword} twice`)
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1), keyword)
    settings.set(keyword, { value, label: keyword })
  }
  return settings
}

function parseParameter(text: string): Keyword {
  if (text === 'host') {
    throw dsnError('the parameter host in the Postgres URL is refused', 'name the host after the @; no Unix socket')
  }
  const keyword = POSITIONAL.includes(text) ? undefined : findKeyword(text)
  if (keyword === undefined) {
    const known = Object.keys(KEYWORDS).filter(name => !POSITIONAL.includes(name))
    throw unknownKeyword(text, 'URL', known)
  }
  return keyword
}

/** Decodes a percent-encoded part of a URL. `+` is not a space, as in libpq. @param part name of the part, for messages */
function decode(text: string, part: string): string {
  const decoded = decodeOrUndefined(text)
  // A NUL would end the string in the start-up packet, and the server would read the rest as further settings.
  if (decoded === undefined || hasControlCharacter(decoded)) {
    throw dsnError(`the ${part} in the Postgres URL is not percent-encoded text`, 'write % as %25')
  }
  return decoded
}

function decodeOrUndefined(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    // The error is not kept as a cause, because causes may be printed and this one may quote the text.
    return undefined
  }
}

// The characters of C's isspace(). JavaScript's \s matches more.
const SPACE = '[ \\t\\n\\v\\f\\r]'

/** A name, which ends at `=` or a space, and the `=`, which may have spaces around it. */
const NAME = new RegExp(`${SPACE}*([^= \\t\\n\\v\\f\\r]+)${SPACE}*(=?)${SPACE}*`, 'y')

/** `\` escapes the next character in quoted and plain values. A quoted value begins with a quote and ends at the next one. */
const QUOTED = /'((?:[^'\\]|\\[^])*)'/y
const PLAIN = /((?:[^\\ \t\n\v\f\r]|\\[^])*)\\?/y

/**
 * Parses a keyword string by libpq's quoting rules.
 * @throws {IngestError} `usage`. No message repeats a value, because it may be a password
 */
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
