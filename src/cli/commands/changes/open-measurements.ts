/** Opens the database or server that has the measurements, and the store of the changes that were accepted in them. */

import { stateConfig, type StateFlags } from '../../../config/state.js'
import { acceptedInDatabase, acceptedInState, type AcceptedChangeStore } from '../../../delivery/accepted-changes.js'
import type { CommitReader } from '../../../delivery/commit-reader.js'
import { databaseReader } from '../../../delivery/database-reader.js'
import type { TargetFlags } from '../../../targets/kinds.js'
import type { Context } from '../../context.js'
import { openReader } from '../../options/open-reader.js'
import { openConfiguredState } from '../../options/open-state.js'
import { openDatabase } from '../../options/target-world.js'

export type MeasurementFlags = TargetFlags & StateFlags

export type OpenMeasurements = {
  readonly reader: CommitReader
  readonly accepted: AcceptedChangeStore
  readonly close: () => Promise<void>
}

/** Accepted changes are kept beside the state if `--state` is given, otherwise in the database. */
export async function openMeasurements(flags: MeasurementFlags, context: Context): Promise<OpenMeasurements> {
  const { reader, accepted } = await openCommits(flags, context)
  const config = stateConfig(flags, context.env)
  if (config === undefined) return { reader, accepted, close: () => reader.close() }
  const state = await openConfiguredState(config, context)
  const close = async (): Promise<void> => {
    await Promise.all([reader.close(), state.storage.close()])
  }
  return { reader, accepted: acceptedInState(state), close }
}

async function openCommits(
  flags: MeasurementFlags,
  context: Context,
): Promise<Pick<OpenMeasurements, 'reader' | 'accepted'>> {
  if (flags['server'] !== undefined) return openServer(flags, context)
  const open = await openDatabase(flags, false, context)
  return { reader: databaseReader(open), accepted: acceptedInDatabase(open.session, open.description) }
}

async function openServer(
  flags: TargetFlags,
  context: Context,
): Promise<Pick<OpenMeasurements, 'reader' | 'accepted'>> {
  const [{ readServerConfig, serverToken }, { acceptedAtServer }] = await Promise.all([
    import('../../../targets/server/config.js'),
    import('../../../delivery/server-accepted-changes.js'),
  ])
  const { env, signal } = context
  const reader = await openReader(flags, context)
  const config = await readServerConfig(flags, env)
  const findToken = () => serverToken(config.address.base, flags, env)
  const accepted = await acceptedAtServer({ ...config, signal, findToken })
  const close = async (): Promise<void> => {
    accepted.close()
    await reader.close()
  }
  return { reader: { ...reader, close }, accepted }
}
