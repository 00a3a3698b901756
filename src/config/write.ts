/** The targets of a push, and which of them must succeed. */

import { detectCi, type Environment } from '../commit/ci.js'
import { IngestError } from '../errors.js'
import type { StorageAddress } from '../storage/address.js'
import { archiveConfig, type ArchiveFlags } from './archive.js'
import { serverConfig, type ServerConfig, type ServerFlags } from './server.js'
import { targetConfig, type TargetConfig, type TargetFlags } from './target.js'

/** The targets whose failure fails the push. */
export type Requirement = string

export type WriteFlags = TargetFlags & ServerFlags & ArchiveFlags

/** The targets of a push; at least one is set. */
export type WriteConfig = {
  readonly server: ServerConfig | undefined
  readonly database: TargetConfig | undefined
  readonly archive: StorageAddress | undefined
}

/**
 * Builds the configuration from flags and environment.
 * @throws {IngestError} `usage` when no target is given and there is no default
 */
export async function writeConfig(flags: WriteFlags, env: Environment): Promise<WriteConfig> {
  const server = await serverConfig(flags, env)
  const archive = archiveConfig(flags)
  assertTargetNamed(flags, env)
  return Object.freeze({ server, database: writesDatabase(flags) ? targetConfig(flags, env) : undefined, archive })
}

/**
 * Whether a push writes to a database: to the one that is given, or to the embedded one if there is no other target.
 */
export function writesDatabase({ postgres, embedded, server, archive }: WriteFlags): boolean {
  return postgres !== undefined || embedded !== undefined || (server === undefined && archive === undefined)
}

/**
 * Checks that a target is given in CI. Elsewhere the default is the embedded database, but a CI job's folders are
 * deleted, so a successful
 * job would have lost its data.
 * @throws {IngestError} `usage` when no target is given in CI
 */
export function assertTargetNamed({ postgres, embedded, server, archive }: WriteFlags, env: Environment): void {
  const ci = detectCi(env)
  if (ci === undefined || [postgres, embedded, server, archive].some(target => target !== undefined)) return
  const hint = 'give --server URL or --postgres DSN, or --embedded if the records may go when this job ends'
  throw new IngestError('usage', `no target is named and this is ${ci.name}, where a local folder does not last`, {
    hint,
  })
}

/**
 * Validates `--require`.
 * @throws {IngestError} `usage` when it names a target that the push does not have
 */
export function requirement(require: Requirement | undefined, config: WriteConfig): Requirement | undefined {
  const names = [
    ...(config.server === undefined ? [] : ['server']),
    ...(config.database === undefined ? [] : [config.database.kind]),
    ...(config.archive === undefined ? [] : ['archive']),
  ]
  if (require === undefined || require === 'all' || require === 'any' || names.includes(require)) return require
  throw new IngestError('usage', `--require ${require}, but no such target is named`, { hint: `--${require} names it` })
}
