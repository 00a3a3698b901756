/** Flags and environment to one frozen configuration; the only reader of the environment. */

import { detectCi, type CiRun, type Environment } from './commit/ci.js'
import { IngestError } from './errors.js'
import type { AwsSettings } from './sink/postgres/aws-settings.js'
import type { PostgresEnvironment } from './sink/postgres/dsn-settings.js'
import type { RolePolicy } from './sink/postgres/role.js'

export type TargetConfig = PostgresTargetConfig | { readonly kind: 'embedded'; readonly folder: string }

export type PostgresTargetConfig = {
  readonly kind: 'postgres'
  readonly dsn: string
  readonly insecureLocal: boolean
  readonly rolePolicy: RolePolicy
  /** The `PG*` variables, which fill in what the DSN leaves out. */
  readonly environment: PostgresEnvironment
  readonly aws: AwsSettings
  /** For how long a target that is gone is tried again; undefined leaves it to the sink. */
  readonly retryDeadlineMs: number | undefined
}

export type TargetFlags = {
  readonly postgres?: string
  readonly insecureLocal?: boolean
  readonly region?: string
  readonly rolePolicy?: RolePolicy
  /** Seconds. */
  readonly retryDeadline?: number
  /** True when the flag stands without a folder. */
  readonly embedded?: string | true
}

export type CommitFlags = {
  readonly commitSha?: string
  readonly commit?: string
  readonly benchmarkId?: string
  readonly repoUrl?: string
  readonly gitDir?: string
}

export type CommitConfig = {
  readonly sha: string | undefined
  /** A file with the commit's fields, in place of git. */
  readonly file: string | undefined
  readonly benchmarkId: string | undefined
  readonly repoUrl: string | undefined
  readonly gitDir: string | undefined
  readonly ci: CiRun | undefined
  readonly env: Environment
}

export const EMBEDDED_FOLDER = '.vortex-ingest'

/** Every flag can be set by a variable of this prefix and its name: `--commit-sha` by `VORTEX_INGEST_COMMIT_SHA`. */
export const ENV_PREFIX = 'VORTEX_INGEST_'

/** Where a command reads or writes: at most one of `--postgres` and `--embedded`, by default the embedded database. */
export function targetConfig(flags: TargetFlags, env: Environment): TargetConfig {
  const { postgres, insecureLocal = false, embedded } = flags
  if (postgres !== undefined && embedded !== undefined)
    throw new IngestError('usage', '--postgres and --embedded name two targets', { hint: 'give one of them' })
  if (postgres !== undefined) return postgresConfig(postgres, flags, env)
  if (insecureLocal) throw new IngestError('usage', '--insecure-local goes with --postgres')
  const folder = embedded === undefined || embedded === true ? EMBEDDED_FOLDER : embedded
  if (NO_FOLDER.test(folder)) {
    const hint = 'name inputs before --embedded, and a Postgres database with --postgres'
    throw new IngestError('usage', `--embedded takes a folder, got ${folder}`, { hint })
  }
  return Object.freeze({ kind: 'embedded', folder })
}

/** Trying things out on one's own machine must need no roles, as it needs no certificates. */
function postgresConfig(dsn: string, flags: TargetFlags, env: Environment): PostgresTargetConfig {
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

function startingWith(prefix: string, env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith(prefix)))
}

/** What `--embedded` was not meant to swallow: in `push --embedded *.jsonl` the input would become the folder. */
const NO_FOLDER = /^$|^[a-z][a-z0-9+.-]*:\/\/|[*?]|\.(?:jsonl?|ndjson|gz|zst)$/i

/**
 * Like `targetConfig`, for a command that writes: in CI the embedded database must be asked for, because a green job
 * that filled a folder which is thrown away has lost its data.
 */
export function writeTargetConfig(flags: TargetFlags, env: Environment): TargetConfig {
  const ci = detectCi(env)
  if (ci !== undefined && flags.postgres === undefined && flags.embedded === undefined) {
    const hint = 'give --postgres DSN, or --embedded if the records may go when this job ends'
    throw new IngestError('usage', `no target is named and this is ${ci.name}, where a local folder does not last`, {
      hint,
    })
  }
  return targetConfig(flags, env)
}

export function commitConfig(flags: CommitFlags, env: Environment): CommitConfig {
  const ci = detectCi(env)
  return Object.freeze({
    sha: flags.commitSha,
    file: flags.commit,
    benchmarkId: flags.benchmarkId,
    repoUrl: flags.repoUrl ?? ci?.repoUrl,
    gitDir: flags.gitDir,
    ci,
    env,
  })
}

/** Colour only where a person looks, and never against their wish (no-color.org). */
export function wantsColor(stream: { readonly isTTY?: boolean }, env: Environment): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}
