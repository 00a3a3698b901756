/** Parses a Postgres URL into settings. Unknown parts are rejected, because ignoring them could weaken the connection. */
import {
  KEYWORDS,
  findKeyword,
  unknownKeyword,
  type Keyword,
  type DsnSetting,
  type DsnSettings,
} from './dsn-settings.js'
import { decode, hasControlCharacter, dsnError } from './dsn-text.js'

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
    const keyword = parseKeyword(equals < 0 ? pair : pair.slice(0, equals))
    if (settings.has(keyword)) throw dsnError(`the Postgres URL gives ${keyword} twice`)
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1), keyword)
    settings.set(keyword, { value, label: keyword })
  }
  return settings
}

function parseKeyword(text: string): Keyword {
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
