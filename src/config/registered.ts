/** Validates a target when it is registered, and turns a registered target into the configuration of a push. */

import { resolve } from 'node:path'
import type { Environment } from '../commit/ci.js'
import { IngestError } from '../errors.js'
import { describeServer, parseServerUrl } from '../http/address.js'
import { archiveLocation as placeOfArchive, stateArchiveId } from '../targets/archive/location.js'
import { dsnSettings, parseDsn, postgresId } from '../database/postgres/dsn.js'
import type { RolePolicy } from '../database/postgres/role.js'
import { redact } from '../redact.js'
import { parseStorageAddress, type StorageAddress } from '../storage/address.js'
import { BUILT_IN } from '../state/buckets.js'
import type { RegisteredTarget } from '../state/registry.js'
import { isVariableName, serverConfig, type ServerConfig, type ServerFlags } from './server.js'
import { NO_FOLDER, postgresConfig, type PostgresFlags, type TargetConfig } from './target.js'

const TARGET_KINDS = ['server', 'postgres', 'embedded', 'archive'] as const
type TargetKind = (typeof TARGET_KINDS)[number]

export type TargetInput = {
  readonly name: string
  readonly kind: string
  readonly address: string | undefined
  readonly secretEnv?: string
  readonly bucket?: string
  /** The bucket's root; undefined for a bucket inside the state and for one that does not exist. */
  readonly bucketRoot?: string | undefined
  readonly isRequired: boolean
  readonly insecureLocal?: boolean
  readonly rolePolicy?: string
  readonly region?: string
}

/**
 * Validates a target for registration without connecting to it.
 * @throws {IngestError} `usage` when it is invalid
 */
export function targetToRegister(input: TargetInput, env: Environment): Omit<RegisteredTarget, 'addedAt'> {
  const { name, isRequired, secretEnv, bucket, insecureLocal = false, rolePolicy, region } = input
  const kind = kindOf(input.kind)
  assertFits(kind, input)
  const secret = secretEnv === undefined ? undefined : variableName(secretEnv)
  const rest = { name, kind, isRequired, secretEnv: secret, bucket, insecureLocal, rolePolicy, region }
  const address = addressOf(kind, input)
  return { ...rest, address, identity: identityOf({ ...rest, address }, env, input.bucketRoot) }
}

function kindOf(word: string): TargetKind {
  const kind = TARGET_KINDS.find(one => one === word)
  if (kind !== undefined) return kind
  throw new IngestError('usage', `there is no kind of target ${redact(word)}`, { hint: TARGET_KINDS.join(', ') })
}

function assertFits(kind: TargetKind, { address, bucket, secretEnv, ...input }: TargetInput): void {
  const wrong = (message: string): IngestError => new IngestError('usage', message, { hint: FORMS })
  if (kind === 'archive' && (bucket === undefined || address !== undefined))
    throw wrong('an archive is given --bucket NAME, and no address')
  if (kind !== 'archive' && bucket !== undefined) throw wrong('--bucket goes with an archive')
  if (kind !== 'archive' && address === undefined) throw wrong(`the address of the ${kind} target is missing`)
  if ((kind === 'archive' || kind === 'embedded') && secretEnv !== undefined)
    throw wrong(`--secret-env is for server and postgres: ${kind} needs no secret`)
  const isPostgres = [input.insecureLocal === true, input.rolePolicy, input.region].some(Boolean)
  if (kind !== 'postgres' && isPostgres) throw wrong('--insecure-local, --role-policy and --region go with postgres')
}

const FORMS =
  'NAME server URL, NAME postgres DSN, NAME embedded DIR, or NAME archive --bucket BUCKET; a token or password stays in ' +
  'the variable that --secret-env names'

function addressOf(kind: TargetKind, { address = '', bucket = '' }: TargetInput): string {
  switch (kind) {
    case 'server':
      return describeServer(parseServerUrl(address, 'the address'))
    case 'postgres':
      return withoutPassword(address)
    case 'embedded':
      if (NO_FOLDER.test(address)) throw new IngestError('usage', 'an embedded database lies in a folder')
      return resolve(address)
    case 'archive':
      return bucket
  }
}

/** Refuses a DSN with a password, because everybody with access to the state could read it. */
function withoutPassword(dsn: string): string {
  if (!dsnSettings(dsn, {}).has('password') && redact(dsn) === dsn) return dsn
  const hint = 'leave the password out, and name its variable: --secret-env PGPASSWORD'
  throw new IngestError('usage', 'the address holds a password', { hint })
}

function variableName(name: string): string {
  if (isVariableName(name)) return name
  const hint = '--secret-env takes the name of a variable, such as INGEST_BEARER_TOKEN, not what is in it'
  throw new IngestError('usage', '--secret-env names no variable', { hint })
}

/** The target id, equal to the id of the target's sink opener. */
function identityOf(target: Addressed, env: Environment, bucketRoot?: string): string {
  switch (target.kind as TargetKind) {
    case 'server':
      return target.address
    case 'postgres':
      return postgresId(parseDsn(target.address, postgresOf(target, {}, env)))
    case 'embedded':
      return `embedded:${target.address}`
    case 'archive':
      return archiveIdentity(target.address, bucketRoot)
  }
}

/**
 * The id of an archive. Buckets inside the state are identified by name, because watermarks and archive are then in the
 * same state.
 */
function archiveIdentity(bucket: string, root: string | undefined): string {
  return BUILT_IN.includes(bucket) ? stateArchiveId(bucket) : `archive:${placeOfArchive(archiveAddress(bucket, root))}`
}

/**
 * The storage address of an archive's bucket.
 * @throws {IngestError} `usage` for a bucket in memory and for one that does not exist
 */
export function archiveAddress(bucket: string, root: string | undefined): StorageAddress {
  const address = root === undefined ? undefined : parseStorageAddress(root)
  if (address !== undefined && address.kind !== 'memory') return address
  const hint = 'add one for it: vortex-ingest buckets add NAME --root DIR, or --root s3://BUCKET/PREFIX'
  throw new IngestError(
    'usage',
    `an archive takes primary, rescue, or a folder or S3 bucket that was added, ${bucket} is none`,
    {
      hint,
    },
  )
}

export type DeliveryFlags = ServerFlags & PostgresFlags

/**
 * The configuration of a registered HTTP target, as if flags had named it.
 * @throws {IngestError} `auth_failed` when its token is missing
 */
export async function registeredServer(
  { address, secretEnv }: RegisteredTarget,
  flags: DeliveryFlags,
  env: Environment,
): Promise<ServerConfig> {
  const { tokenFile: _file, tokenEnv: _env, ...others } = flags
  const config = await serverConfig(
    { ...others, server: address, ...(secretEnv !== undefined && { tokenEnv: secretEnv }) },
    env,
  )
  return config!
}

/**
 * The configuration of a registered database, as if flags had named it.
 * @throws {IngestError} `auth_failed` when its password is missing
 * @throws {IngestError} `config_invalid` when the address now leads to another database
 */
export function registeredDatabase(target: RegisteredTarget, flags: DeliveryFlags, env: Environment): TargetConfig {
  if (target.kind === 'embedded') return Object.freeze({ kind: 'embedded', folder: target.address })
  assertSecret(target, env)
  const leadsTo = identityOf(target, env)
  if (leadsTo === target.identity) return postgresOf(target, flags, env)
  // The target's watermarks are only valid for the database that was registered.
  const hint = 'the PG* variables fill in what its address leaves out: name host, port and database there'
  throw new IngestError('config_invalid', `the target ${target.name} is ${target.identity}, and here ${leadsTo}`, {
    hint,
  })
}

type Addressed = Omit<RegisteredTarget, 'identity' | 'addedAt'>

function postgresOf(
  target: Addressed,
  { retryDeadline }: DeliveryFlags,
  env: Environment,
): Extract<TargetConfig, { kind: 'postgres' }> {
  const { insecureLocal, rolePolicy, region, secretEnv } = target
  const flags: PostgresFlags = {
    insecureLocal,
    ...(region !== undefined && { region }),
    ...(rolePolicy !== undefined && { rolePolicy: rolePolicy as RolePolicy }),
    ...(retryDeadline !== undefined && { retryDeadline }),
  }
  const password = secretEnv === undefined ? undefined : env[secretEnv]
  return postgresConfig(target.address, flags, password === undefined ? env : { ...env, PGPASSWORD: password })
}

function assertSecret({ name, secretEnv }: RegisteredTarget, env: Environment): void {
  if (secretEnv === undefined || env[secretEnv]) return
  throw new IngestError('auth_failed', `there is no password for the target ${name} in ${secretEnv}`)
}
