/** Interprets the options of a Postgres target. */

import type { Environment } from '../../commit/ci.js'
import { startingWith } from '../../config/environment.js'
import {
  describeAddress,
  dsnSettings,
  parseDsn,
  postgresId,
  type PostgresAddress,
} from '../../database/postgres/dsn.js'
import { INGEST_ROLE, type RolePolicy } from '../../database/postgres/role.js'
import { IngestError } from '../../errors.js'
import { redact } from '../../redact.js'
import type { OpenSession, OpenWorld, SessionWorld, Setting, SettingsWorld } from '../kind.js'
import type { SinkOpener } from '../sink.js'
import { POSTGRES_DELIVERY_OPTIONS, type PostgresTargetOptions } from './options.js'

export type PostgresConfig = {
  readonly address: PostgresAddress
  readonly insecureLocal: boolean
  readonly rolePolicy: RolePolicy
}

/**
 * The configuration of a target. With `insecureLocal` any role may write, so that local trials need no setup of roles.
 * @throws {IngestError} `usage` for an invalid DSN
 */
export function postgresConfig(options: PostgresTargetOptions, env: Environment): PostgresConfig {
  const { postgres = '', insecureLocal = false, region, secretEnv } = options
  const { rolePolicy = defaultRole(insecureLocal) } = options
  const password = secretEnv === undefined ? undefined : env[secretEnv]
  const environment = { ...startingWith('PG', env), ...(password !== undefined && { PGPASSWORD: password }) }
  const aws = { region, environment: startingWith('AWS_', env) }
  return { address: parseDsn(postgres, { insecureLocal, environment, aws }), insecureLocal, rolePolicy }
}

function defaultRole(insecureLocal = false): RolePolicy {
  return insecureLocal ? 'any' : INGEST_ROLE
}

export function describePostgres(options: PostgresTargetOptions, env: Environment): string {
  return describeAddress(postgresConfig(options, env).address)
}

export function postgresTargetId(options: PostgresTargetOptions, env: Environment): string {
  return postgresId(postgresConfig(options, env).address)
}

/** Refuses a DSN with a password, because everybody with access to the state could read it. @returns the DSN */
export function assertNoPassword({ postgres: dsn = '' }: PostgresTargetOptions): string {
  if (!dsnSettings(dsn, {}).has('password') && redact(dsn) === dsn) return dsn
  const hint = 'leave the password out, and name its variable: --secret-env PGPASSWORD'
  throw new IngestError('usage', 'the address holds a password', { hint })
}

export async function openPostgres(options: PostgresTargetOptions, world: OpenWorld): Promise<SinkOpener> {
  const { env, name = '', random, rehearse = false } = world
  const { retryDeadline = POSTGRES_DELIVERY_OPTIONS.retryDeadline.default, secretEnv } = options
  if (secretEnv !== undefined && !env[secretEnv])
    throw new IngestError('auth_failed', `there is no password for the target ${name} in ${secretEnv}`)
  const { address, insecureLocal, rolePolicy } = postgresConfig(options, env)
  const { postgresSink } = await import('./sink.js')
  warnInsecure({ insecureLocal, rolePolicy }, world)
  const onWarning = (message: string): void => {
    // The warning about the insecure connection has already said that any role may write.
    if (!insecureLocal) world.onWarning(message)
  }
  return postgresSink(address, { random, rolePolicy, onWarning, retryDeadlineMs: retryDeadline * 1000, rehearse })
}

export async function openPostgresSession(options: PostgresTargetOptions, world: SessionWorld): Promise<OpenSession> {
  const config = postgresConfig(options, world.env)
  warnInsecure(config, world)
  const { connectPostgres } = await import('../../database/postgres/connect.js')
  const session = await connectPostgres(config.address, { signal: world.signal })
  return { session, description: session.description, close: () => session.close() }
}

/** Warns about `--insecure-local`, so that an unencrypted connection never goes unnoticed. */
export function warnInsecure(
  { insecureLocal, rolePolicy }: Omit<PostgresConfig, 'address'>,
  { onWarning }: Pick<OpenWorld, 'onWarning'>,
): void {
  if (!insecureLocal) return
  const roles = rolePolicy === 'any' ? ', and any role may write' : ''
  onWarning(`--insecure-local: the connection is neither encrypted nor verified${roles}`)
}

const SECRETS: readonly string[] = ['password']
/** DSN parts that the description of the target already shows. */
const SHOWN: readonly string[] = ['host', 'port', 'dbname', 'user']
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

/** The settings from PG*, AWS and site variables, and the parts of the DSN other than the address. */
export function postgresSettings(
  { postgres = '', insecureLocal, region, rolePolicy }: PostgresTargetOptions,
  { env, origin }: SettingsWorld,
): readonly Setting[] {
  const [variable] = REGIONS.filter(name => env[name])
  const credentials = CREDENTIALS.filter(name => env[name])
  return [
    ...dsnParts(postgres, { env, origin }),
    ...(rolePolicy === undefined
      ? [{ name: 'role-policy', value: defaultRole(insecureLocal), origin: 'default' }]
      : []),
    ...(region === undefined && variable !== undefined
      ? [{ name: 'region', value: env[variable] ?? '', origin: variable }]
      : []),
    ...(credentials.length > 0 ? [{ name: 'aws', value: 'set', origin: credentials.join(', ') }] : []),
    ...siteSettings(env),
  ]
}

function dsnParts(dsn: string, { env, origin }: SettingsWorld): readonly Setting[] {
  try {
    return [...dsnSettings(dsn, env)].flatMap(([name, { value, label }]) => {
      if (label === name && SHOWN.includes(name)) return []
      return [{ name, value: SECRETS.includes(name) ? 'set' : value, origin: label === name ? origin : label }]
    })
  } catch {
    // The finding for the target itself reports the reason.
    return []
  }
}

function siteSettings(env: Environment): readonly Setting[] {
  const set = ['BENCH_SITE_BASE_URL', 'BENCH_REVALIDATE_TOKEN'].filter(name => env[name])
  if (set.length === 0) return []
  const value = set.length === 2 ? 'told of new rows' : 'not told of new rows: it takes both variables'
  return [{ name: 'site', value, origin: set.join(', ') }]
}
