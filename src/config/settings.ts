/** Lists every setting of a push with the origin of its value. Secrets are only listed as set. */

import { detectCi, type CiRun, type Environment } from '../commit/ci.js'
import { archiveLocation } from '../targets/archive/location.js'
import { describeServer, parseServerUrl } from '../http/address.js'
import { describeAddress, dsnSettings, parseDsn } from '../database/postgres/dsn.js'
import { RETRY_DEADLINE_MS } from '../targets/database-sink.js'
import { parseStorageAddress } from '../storage/address.js'
import { serverLimits, type ServerFlags } from './server.js'
import { postgresConfig, targetConfig, type TargetFlags } from './target.js'
import { writesDatabase, type WriteFlags } from './write.js'

export type Setting = { readonly name: string; readonly value: string; readonly origin: string }

/** The origin of each value, by option name: the flag or the variable that set it. Defaults are not included. */
export type Origins = ReadonlyMap<string, string>

export type Told = {
  readonly flags: WriteFlags
  readonly origins: Origins
  readonly env: Environment
}

const DEFAULT = 'default'
const SET = 'set'
const UNREADABLE = 'set, but it cannot be read'

export function settingsOf(told: Told): readonly Setting[] {
  const { flags, env } = told
  return [
    ...(flags.server === undefined ? [] : serverSettings(flags.server, told)),
    ...(flags.postgres === undefined ? [] : postgresSettings(flags.postgres, told)),
    ...(flags.postgres === undefined && writesDatabase(flags) ? embeddedSettings(told) : []),
    ...storageSettings(told),
    ...ciSettings(detectCi(env)),
    ...worldSettings(env),
  ]
}

function serverSettings(server: string, { flags, origins, env }: Told): readonly Setting[] {
  const from = (name: keyof ServerFlags): string => origins.get(name) ?? DEFAULT
  const { idleTimeoutMs, retries, retryDeadlineMs, maxEnvelopeBytes } = serverLimits(flags)
  return [
    { name: 'server', value: readable(() => describeServer(parseServerUrl(server))), origin: from('server') },
    ...tokenSetting(flags, env),
    { name: 'timeout', value: `${idleTimeoutMs / 1000} s`, origin: from('timeout') },
    {
      name: 'retries',
      value: `${retries}, for ${retryDeadlineMs / 1000} s`,
      origin: of(from('retries'), from('retryDeadline')),
    },
    { name: 'max-envelope-bytes', value: String(maxEnvelopeBytes), origin: from('maxEnvelopeBytes') },
    { name: 'compress', value: flags.compress ?? 'never', origin: from('compress') },
  ]
}

/** Joins the origins of two values, unless they are the same. */
function of(one: string, other: string): string {
  return one === other ? one : `${one}, ${other}`
}

function tokenSetting({ tokenEnv, tokenFile }: ServerFlags, env: Environment): readonly Setting[] {
  if (tokenFile !== undefined) return [{ name: 'token', value: 'in a file', origin: tokenFile }]
  const variable = tokenEnv ?? 'INGEST_BEARER_TOKEN'
  if (env[variable]) return [{ name: 'token', value: SET, origin: variable }]
  // The variable's name is not shown, because it may be the token itself, given by mistake.
  return [{ name: 'token', value: 'not set', origin: tokenEnv === undefined ? variable : '--token-env' }]
}

function postgresSettings(dsn: string, { flags, origins, env }: Told): readonly Setting[] {
  const from = (name: keyof TargetFlags): string => origins.get(name) ?? DEFAULT
  const config = postgresConfig(dsn, flags, env)
  const deadlineMs = config.retryDeadlineMs ?? RETRY_DEADLINE_MS
  return [
    { name: 'postgres', value: readable(() => describeAddress(parseDsn(dsn, config))), origin: from('postgres') },
    ...dsnParts(dsn, env, from('postgres')),
    { name: 'role-policy', value: config.rolePolicy, origin: from('rolePolicy') },
    { name: 'retry-deadline', value: `${deadlineMs / 1000} s`, origin: from('retryDeadline') },
    ...(config.insecureLocal ? [{ name: 'insecure-local', value: 'yes', origin: from('insecureLocal') }] : []),
    ...awsSettings(flags, origins, env),
    ...siteSettings(env),
  ]
}

const SECRETS: readonly string[] = ['password']
/** DSN parts that the description of the target already shows. */
const SHOWN: readonly string[] = ['host', 'port', 'dbname', 'user']

/** The settings that come from PG* variables, and the parts of the DSN other than the address. */
function dsnParts(dsn: string, environment: Environment, origin: string): readonly Setting[] {
  try {
    return [...dsnSettings(dsn, environment)].flatMap(([name, { value, label }]) => {
      const isSecret = SECRETS.includes(name)
      if (label === name && SHOWN.includes(name)) return []
      return [{ name, value: isSecret ? SET : value, origin: label === name ? origin : label }]
    })
  } catch {
    // The finding for the target itself reports the reason.
    return []
  }
}

const REGIONS = ['AWS_REGION', 'AWS_DEFAULT_REGION']
/** Variables that AWS's credential chain checks first. Only their names are shown. */
const CREDENTIALS = [
  'AWS_PROFILE',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_ROLE_ARN',
]

function awsSettings({ region }: TargetFlags, origins: Origins, env: Environment): readonly Setting[] {
  const variable = REGIONS.find(name => env[name])
  const found = region ?? (variable && env[variable])
  const set = CREDENTIALS.filter(name => env[name])
  return [
    ...(found
      ? [{ name: 'region', value: found, origin: region ? (origins.get('region') ?? DEFAULT) : (variable ?? '') }]
      : []),
    ...(set.length > 0 ? [{ name: 'aws', value: SET, origin: set.join(', ') }] : []),
  ]
}

function siteSettings(env: Environment): readonly Setting[] {
  const set = ['BENCH_SITE_BASE_URL', 'BENCH_REVALIDATE_TOKEN'].filter(name => env[name])
  if (set.length === 0) return []
  const value = set.length === 2 ? 'told of new rows' : 'not told of new rows: it takes both variables'
  return [{ name: 'site', value, origin: set.join(', ') }]
}

function embeddedSettings({ flags, origins, env }: Told): readonly Setting[] {
  // In CI, the embedded database is never used by default.
  if (flags.embedded === undefined && detectCi(env) !== undefined) return []
  const folder = (): string => {
    const target = targetConfig(flags, env)
    return target.kind === 'embedded' ? target.folder : ''
  }
  const isDefault = flags.embedded === undefined
  return [
    { name: 'embedded', value: readable(folder), origin: isDefault ? DEFAULT : (origins.get('embedded') ?? DEFAULT) },
  ]
}

/** The addresses of state and archive, which contain no secrets. */
function storageSettings({ flags, origins }: Told): readonly Setting[] {
  return (['state', 'archive'] as const).flatMap(name => {
    const text = flags[name]
    if (text === undefined) return []
    return [
      { name, value: readable(() => archiveLocation(parseStorageAddress(text))), origin: origins.get(name) ?? DEFAULT },
    ]
  })
}

function ciSettings(ci: CiRun | undefined): readonly Setting[] {
  if (ci === undefined) return []
  const facts = { 'commit-sha': ci.sha, 'repo-url': ci.repoUrl, 'benchmark-id': ci.benchmarkId }
  return Object.entries(facts).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value, origin: ci.name }],
  )
}

/** Settings of Node and the operating system that affect a push. */
const WORLD = { TMPDIR: 'tmpdir', SSL_CERT_FILE: 'authorities', NODE_EXTRA_CA_CERTS: 'authorities' }

function worldSettings(env: Environment): readonly Setting[] {
  return Object.entries(WORLD).flatMap(([origin, name]) => {
    const value = env[origin]
    return value ? [{ name, value, origin }] : []
  })
}

function readable(describe: () => string): string {
  try {
    return describe()
  } catch {
    return UNREADABLE
  }
}
