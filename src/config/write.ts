/** Where a push writes, and whose failure is its own. */

import { detectCi, type Environment } from '../commit/ci.js'
import type { TargetName } from '../delivery/opening.js'
import { IngestError } from '../errors.js'
import { serverConfig, type ServerConfig, type ServerFlags } from './server.js'
import { targetConfig, type TargetConfig, type TargetFlags } from './target.js'

/** Whose failure is the push's. */
export type Requirement = 'all' | 'any' | TargetName

/** Where a push writes: a server, a database, or both. */
export type WriteConfig = { readonly server: ServerConfig | undefined; readonly database: TargetConfig | undefined }

/**
 * Without any target the embedded database, but in CI that must be asked for: a green job that filled a folder which is
 * thrown away has lost its data.
 */
export async function writeConfig(flags: TargetFlags & ServerFlags, env: Environment): Promise<WriteConfig> {
  const server = await serverConfig(flags, env)
  const ci = detectCi(env)
  const named = flags.postgres !== undefined || flags.embedded !== undefined
  if (ci !== undefined && !named && server === undefined) {
    const hint = 'give --server URL or --postgres DSN, or --embedded if the records may go when this job ends'
    throw new IngestError('usage', `no target is named and this is ${ci.name}, where a local folder does not last`, {
      hint,
    })
  }
  const database = named || server === undefined ? targetConfig(flags, env) : undefined
  return Object.freeze({ server, database })
}

/** @throws {IngestError} `usage` when the target that is to decide is none of the push's */
export function requirement(require: Requirement | undefined, config: WriteConfig): Requirement | undefined {
  const names = [
    ...(config.server === undefined ? [] : ['server']),
    ...(config.database === undefined ? [] : [config.database.kind]),
  ]
  if (require === undefined || require === 'all' || require === 'any' || names.includes(require)) return require
  throw new IngestError('usage', `--require ${require}, but no such target is named`, { hint: `--${require} names it` })
}
