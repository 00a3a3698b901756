/** Configuration of the database that a command reads or writes. */

import type { Environment } from '../commit/ci.js'
import { IngestError } from '../errors.js'
import type { AwsSettings } from '../database/postgres/dsn.js'
import type { PostgresEnvironment } from '../database/postgres/dsn-settings.js'
import type { RolePolicy } from '../database/postgres/role.js'
import { startingWith } from './environment.js'

export type TargetConfig = PostgresTargetConfig | { readonly kind: 'embedded'; readonly folder: string }

export type PostgresTargetConfig = {
  readonly kind: 'postgres'
  readonly dsn: string
  readonly insecureLocal: boolean
  readonly rolePolicy: RolePolicy
  /** The `PG*` variables, which fill in what the DSN leaves out. */
  readonly environment: PostgresEnvironment
  readonly aws: AwsSettings
  /** How long to retry an unavailable target; undefined uses the sink's default. */
  readonly retryDeadlineMs: number | undefined
}

export type PostgresFlags = {
  readonly insecureLocal?: boolean
  readonly region?: string
  readonly rolePolicy?: RolePolicy
  /** Seconds. */
  readonly retryDeadline?: number
}

export type TargetFlags = PostgresFlags & {
  readonly postgres?: string
  /** True when the flag is given without a folder. */
  readonly embedded?: string | true
}

export const EMBEDDED_FOLDER = '.vortex-ingest'

/**
 * The database of a command, from `--postgres` or `--embedded`. Default: the embedded database.
 * @throws {IngestError} `usage` when both are given, or a flag does not fit
 */
export function targetConfig(flags: TargetFlags, env: Environment): TargetConfig {
  const { postgres, insecureLocal = false, embedded } = flags
  if (postgres !== undefined && embedded !== undefined)
    throw new IngestError('usage', '--postgres and --embedded name two targets', { hint: 'give one of them' })
  if (postgres !== undefined) return postgresConfig(postgres, flags, env)
  if (insecureLocal) throw new IngestError('usage', '--insecure-local goes with --postgres')
  const folder = embedded === undefined || embedded === true ? EMBEDDED_FOLDER : embedded
  if (NO_FOLDER.test(folder)) {
    const hint = 'name inputs before --embedded, and a Postgres database with --postgres'
    throw new IngestError('usage', `--embedded takes a folder, got ${folder || 'no name'}`, { hint })
  }
  return Object.freeze({ kind: 'embedded', folder })
}

/**
 * The configuration of a Postgres target. With `insecureLocal` any role may write, so that local trials need no setup
 * of roles.
 */
export function postgresConfig(dsn: string, flags: PostgresFlags, env: Environment): PostgresTargetConfig {
  const { insecureLocal = false, region, retryDeadline, rolePolicy = insecureLocal ? 'any' : 'bench_ingest' } = flags
  const target = {
    kind: 'postgres',
    ...{ dsn, insecureLocal, rolePolicy },
    environment: startingWith('PG', env),
    aws: { region, environment: startingWith('AWS_', env) },
    retryDeadlineMs: retryDeadline === undefined ? undefined : retryDeadline * 1000,
  } as const
  return Object.freeze(target)
}

/**
 * Matches values that `--embedded` refuses as folders, because they are probably inputs, as in `push --embedded
 * *.jsonl`.
 */
export const NO_FOLDER = /^$|^[a-z][a-z0-9+.-]*:\/\/|[*?]|\.(?:jsonl?|ndjson|gz|zst)$/i
