/** Opens the place that flags name, for commands that read stored commits. */

import type { CommitReader } from '../../delivery/commit-reader.js'
import { databaseReader } from '../../delivery/database-reader.js'
import { IngestError } from '../../errors.js'
import { isDatabase, namedKinds, type TargetFlags } from '../../targets/kinds.js'
import type { Context } from '../context.js'
import { openDatabase } from './target-world.js'

/**
 * Opens the server or the database that flags name, otherwise the default database. Creates nothing.
 * @throws {IngestError} `usage` when flags name two places
 */
export async function openReader(flags: TargetFlags, context: Context): Promise<CommitReader> {
  if (flags['server'] === undefined) return databaseReader(await openDatabase(flags, false, context))
  assertOnePlace(flags)
  const [{ readServerConfig }, { serverReader }] = await Promise.all([
    import('../../targets/server/config.js'),
    import('../../delivery/server-reader.js'),
  ])
  return serverReader({ ...(await readServerConfig(flags, context.env)), signal: context.signal })
}

/** @throws {IngestError} `usage` for a server and a database */
export function assertOnePlace(flags: TargetFlags): void {
  if (flags['server'] === undefined || !namedKinds(flags).some(isDatabase)) return
  throw new IngestError('usage', '--server and a database are two targets', { hint: 'give one of them' })
}
