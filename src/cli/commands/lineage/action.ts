/** `lineage`: the deliveries that a stored value comes from. */

import { lookUpCommit } from '../../../commit/git.js'
import { stateConfig, type StateFlags } from '../../../config/state.js'
import { findLineage, type LineageReader } from '../../../delivery/lineage/lineage.js'
import { EXIT, IngestError } from '../../../errors.js'
import type { LineageReport } from '../../../reports/lineage.js'
import { TARGET_KINDS, type TargetFlags } from '../../../targets/kinds.js'
import type { Action, Context, Format } from '../../context.js'
import { openServerReader } from '../../options/open-reader.js'
import { printLineage } from './human.js'

const PLACES = [...TARGET_KINDS.map(({ address }) => address), 'state']

type LineageFlags = TargetFlags &
  StateFlags & { readonly archive?: string; readonly gitDir?: string; readonly format: Format }

export const runLineage: Action<LineageFlags> = async ([name = ''], flags, context) => {
  const { env, signal, report } = context
  const { format, gitDir } = flags
  const reader = await openLineage(flags, context)
  try {
    const found = await findLineage(reader, name, name => lookUpCommit(name, { gitDir, env, signal }))
    const result = { command: 'lineage', exit_code: EXIT.done, place: reader.description, ...found } as const
    if (format === 'json') report.json<LineageReport>(result)
    else printLineage(report, result)
    return EXIT.done
  } finally {
    await reader.close()
  }
}

async function openLineage(given: LineageFlags, context: Context): Promise<LineageReader> {
  const { signal, env } = context
  const flags = oneOfPlaces(given, context)
  if (flags.archive !== undefined) return openArchive(flags.archive, signal)
  const state = stateConfig(flags, env)
  if (state !== undefined) {
    const [{ openConfiguredState }, { lineageInState }] = await Promise.all([
      import('../../options/open-state.js'),
      import('../../../delivery/lineage/state.js'),
    ])
    return lineageInState(await openConfiguredState(state, context), signal)
  }
  if (flags['server'] !== undefined) return openServer(flags, context)
  const [{ openDatabase }, { lineageInDatabase }] = await Promise.all([
    import('../../options/target-world.js'),
    import('../../../delivery/lineage/database.js'),
  ])
  return lineageInDatabase(await openDatabase(flags, false, context))
}

/**
 * The flags with one place to read. A flag takes precedence over variables and the config file.
 * @throws {IngestError} `usage` when two places are left
 */
function oneOfPlaces(flags: LineageFlags, { origins }: Context): LineageFlags {
  const named = PLACES.filter(name => flags[name] !== undefined)
  const typed = named.filter(name => origins.get(name)?.startsWith('--'))
  const chosen = typed.length > 0 ? typed : named
  if (chosen.length > 1)
    throw new IngestError('usage', `${chosen.map(name => `--${name}`).join(' and ')} name two places`, {
      hint: 'give one of them',
    })
  const others = new Set(named.filter(name => !chosen.includes(name)))
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !others.has(name))) as LineageFlags
}

async function openArchive(place: string, signal: AbortSignal): Promise<LineageReader> {
  const [{ parseStorageAddress }, { openBucketStorage }, { lineageInArchive }] = await Promise.all([
    import('../../../storage/address.js'),
    import('../../../storage/open-storage.js'),
    import('../../../delivery/lineage/archive.js'),
  ])
  return lineageInArchive(await openBucketStorage(parseStorageAddress(place), { mustExist: true }), signal)
}

async function openServer(flags: TargetFlags, context: Context): Promise<LineageReader> {
  const [{ readServerConfig }, { lineageAtServer }] = await Promise.all([
    import('../../../targets/server/config.js'),
    import('../../../delivery/lineage/server.js'),
  ])
  const config = await readServerConfig(flags, context.env)
  return lineageAtServer({ ...config, signal: context.signal }, await openServerReader(flags, context))
}
