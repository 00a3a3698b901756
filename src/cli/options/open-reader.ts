/** Opens the database or server that flags name, and the history of the repository, for commands that read stored commits. */

import type { CommitReader } from '../../delivery/commit-reader.js'
import { databaseReader } from '../../delivery/database-reader.js'
import type { AskHosting } from '../../delivery/first-parent-history.js'
import { IngestError } from '../../errors.js'
import { isDatabase, namedKinds, type TargetFlags } from '../../targets/kinds.js'
import type { Context } from '../context.js'
import { openDatabase } from './target-world.js'

/**
 * Opens the server or the database that flags name, otherwise the default database. Creates nothing.
 * @throws {IngestError} `usage` when flags name two of them
 */
export async function openReader(flags: TargetFlags, context: Context): Promise<CommitReader> {
  if (flags['server'] === undefined) return databaseReader(await openDatabase(flags, false, context))
  assertOneTarget(flags)
  return openServerReader(flags, context)
}

/** Opens the read API of the server that `--server` names. */
export async function openServerReader(flags: TargetFlags, { env, signal }: Context): Promise<CommitReader> {
  const [{ readServerConfig }, { serverReader }] = await Promise.all([
    import('../../targets/server/config.js'),
    import('../../delivery/server-reader.js'),
  ])
  return serverReader({ ...(await readServerConfig(flags, env)), signal })
}

/** @throws {IngestError} `usage` for a server and a database */
export function assertOneTarget(flags: TargetFlags): void {
  if (flags['server'] === undefined || !namedKinds(flags).some(isDatabase)) return
  throw new IngestError('usage', '--server and a database are two targets', { hint: 'give one of them' })
}

/** Asks the service that hosts the repository of the CI run for the history of a commit. */
export function hostingOf({ env, signal, random }: Context): AskHosting {
  return async (sha, limit) => {
    const { hostedAncestry } = await import('../../hosting/ancestry.js')
    return hostedAncestry(sha, { env, signal, random, limit })
  }
}
