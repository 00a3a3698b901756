/** Names that a state knows, for whoever is typing one: what cannot be read has none, and nothing is written. */

import { existsSync } from 'node:fs'
import { stateConfig, stateVariable } from '../../config/state.js'
import { listBuckets } from '../../state/buckets.js'
import { readRegistry } from '../../state/registry.js'
import type { State } from '../../state/state.js'
import { trialIds } from '../../state/trial.js'
import type { Context } from '../context.js'
import { openState } from '../open-state.js'
import type { NameSort } from './candidates.js'

const LISTS: Readonly<Record<NameSort, (state: State) => Promise<readonly string[]>>> = {
  target: async ({ storage }) => [...(await readRegistry(storage)).targets.keys()],
  trial: trialIds,
  bucket: async state => (await listBuckets(state)).map(({ name }) => name),
}

/** Whoever may write to a state could name something so that a shell runs it: bash puts it on the line as it is. */
const SAFE = /^[a-z0-9][a-z0-9_-]*$/

/** @param place as --state names it; where no flag does, the variable may */
export async function namesIn(sort: NameSort, place: string | undefined, context: Context): Promise<readonly string[]> {
  try {
    const named = place ?? stateVariable(context.env)
    const config = stateConfig(named === undefined ? {} : { state: named }, context.env)
    // A folder that is not there would be made.
    if (config === undefined || (config.address.kind === 'local' && !existsSync(config.address.folder))) return []
    const state = await openState(config, context)
    const names = await LISTS[sort](state).finally(() => state.storage.close())
    return names.filter(name => SAFE.test(name))
  } catch {
    return []
  }
}
