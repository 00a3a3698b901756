/** Where a push writes, and whose failure is its own. */

import { detectCi, type Environment } from '../commit/ci.js'
import type { TargetName } from '../delivery/opening.js'
import { IngestError } from '../errors.js'
import type { StorageAddress } from '../storage/address.js'
import { archiveConfig, type ArchiveFlags } from './archive.js'
import { serverConfig, type ServerConfig, type ServerFlags } from './server.js'
import { targetConfig, type TargetConfig, type TargetFlags } from './target.js'

/** Whose failure is the push's. */
export type Requirement = 'all' | 'any' | TargetName

export type WriteFlags = TargetFlags & ServerFlags & ArchiveFlags

/** Where a push writes: at least one of them. */
export type WriteConfig = {
  readonly server: ServerConfig | undefined
  readonly database: TargetConfig | undefined
  readonly archive: StorageAddress | undefined
}

/** @throws {IngestError} `usage` where no target is named and one must be */
export async function writeConfig(flags: WriteFlags, env: Environment): Promise<WriteConfig> {
  const server = await serverConfig(flags, env)
  const archive = archiveConfig(flags)
  assertTargetNamed(flags, env)
  return Object.freeze({ server, database: writesDatabase(flags) ? targetConfig(flags, env) : undefined, archive })
}

/** Whether a push writes into a database: into one that is named, or where nothing is, into the embedded one. */
export function writesDatabase({ postgres, embedded, server, archive }: WriteFlags): boolean {
  return postgres !== undefined || embedded !== undefined || (server === undefined && archive === undefined)
}

/**
 * Without any target the embedded database, but in CI that must be asked for: a green job that filled a folder which is
 * thrown away has lost its data.
 * @throws {IngestError} `usage`
 */
export function assertTargetNamed({ postgres, embedded, server, archive }: WriteFlags, env: Environment): void {
  const ci = detectCi(env)
  if (ci === undefined || [postgres, embedded, server, archive].some(target => target !== undefined)) return
  const hint = 'give --server URL or --postgres DSN, or --embedded if the records may go when this job ends'
  throw new IngestError('usage', `no target is named and this is ${ci.name}, where a local folder does not last`, {
    hint,
  })
}

/** @throws {IngestError} `usage` when the target that is to decide is none of the push's */
export function requirement(require: Requirement | undefined, config: WriteConfig): Requirement | undefined {
  const names = [
    ...(config.server === undefined ? [] : ['server']),
    ...(config.database === undefined ? [] : [config.database.kind]),
    ...(config.archive === undefined ? [] : ['archive']),
  ]
  if (require === undefined || require === 'all' || require === 'any' || names.includes(require)) return require
  throw new IngestError('usage', `--require ${require}, but no such target is named`, { hint: `--${require} names it` })
}
