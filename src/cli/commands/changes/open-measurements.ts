/** Opens the database or server that has the measurements, and the store of the changes that were accepted in them. */

import { stateConfig, type StateFlags } from '../../../config/state.js'
import { acceptedInDatabase, acceptedInState, type AcceptedChangeStore } from '../../../delivery/accepted-changes.js'
import type { CommitReader } from '../../../delivery/commit-reader.js'
import { databaseReader } from '../../../delivery/database-reader.js'
import { IngestError } from '../../../errors.js'
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
  if (flags['server'] !== undefined) {
    const reader = await openReader(flags, context)
    return { reader, accepted: acceptedAtServer(reader) }
  }
  const open = await openDatabase(flags, false, context)
  return { reader: databaseReader(open), accepted: acceptedInDatabase(open.session, open.description) }
}

/** A server has no routes for accepted changes. */
function acceptedAtServer({ description }: CommitReader): AcceptedChangeStore {
  const refuse = async (): Promise<never> => {
    throw new IngestError('usage', `accepted changes cannot be written through ${description}`, {
      hint: 'keep them beside a state with --state, or name the database itself with --postgres',
    })
  }
  return { description, list: async () => [], add: refuse, withdraw: refuse }
}
