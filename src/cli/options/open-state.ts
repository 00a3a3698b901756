/** Opens a state from its configuration. */

import { setTimeout } from 'node:timers/promises'
import type { StateConfig } from '../../config/state.js'
import { thisProcess, type State } from '../../state/state.js'
import { openStorage } from '../../storage/open-storage.js'
import type { Context } from '../context.js'

/** Opens the storage of a state. The caller must close `storage`. */
export async function openState({ address, leaseMs }: StateConfig, context: Context): Promise<State> {
  const { now, random, signal } = context
  const [storage, owner] = await Promise.all([openStorage(address), thisProcess()])
  const sleep = async (delayMs: number): Promise<void> => {
    await setTimeout(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
  return { storage, owner, tools: { now: () => now().getTime(), random, sleep, leaseMs } }
}
