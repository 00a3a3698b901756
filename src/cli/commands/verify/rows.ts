/** Opens the stored rows of a target for `verify`. */

import { databaseRows, type OpenRows } from '../../../delivery/stored-rows.js'
import { describeServer } from '../../../http/address.js'
import type { TargetKind } from '../../../targets/kind.js'
import { isDatabase, type TargetFlags } from '../../../targets/kinds.js'
import type { Context } from '../../context.js'
import { openWorld } from '../../options/target-world.js'

/** @returns undefined for a kind whose rows cannot be read back */
export function rowsOpener(
  kind: TargetKind,
  options: TargetFlags,
  context: Context,
): (() => Promise<OpenRows>) | undefined {
  if (kind.kind === 'server') return () => openServerRows(options, context)
  return isDatabase(kind) ? () => openDatabaseRows(kind, options, context) : undefined
}

async function openDatabaseRows(kind: TargetKind, options: TargetFlags, context: Context): Promise<OpenRows> {
  // A database has sessions.
  const { session, ...open } = await kind.openSession!(options, { ...openWorld(context), create: false })
  return { rows: databaseRows(session), ...open }
}

async function openServerRows(options: TargetFlags, { env, signal }: Context): Promise<OpenRows> {
  const [{ readServerConfig }, { serverRows }] = await Promise.all([
    import('../../../targets/server/config.js'),
    import('../../../delivery/server-rows.js'),
  ])
  const config = await readServerConfig(options, env)
  const rows = await serverRows({ ...config, signal })
  return { rows, description: describeServer(config.address.base), close: async () => rows.close() }
}
