/** Opens a state for the library. */

import { setTimeout } from 'node:timers/promises'
import { parseStorageAddress } from '../storage/address.js'
import { openStorage } from '../storage/open-storage.js'
import { thisProcess } from '../state/owner.js'
import type { State } from '../state/state.js'

export type OpenStateOptions = {
  /** How long a lease is valid without renewal, in milliseconds. Default: 30,000. */
  readonly leaseMs?: number | undefined
  /** Ends waiting for another process. Its reason becomes the error. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens a state, which a push creates when it does not exist yet. Close it with `state.storage.close()`.
 * @param place a folder, `s3://BUCKET/PREFIX[?region=…]`, or `memory:` for a state that ends with this process
 * @throws {IngestError} `usage` for an invalid address
 */
export async function openState(place: string, { leaseMs = 30_000, signal }: OpenStateOptions = {}): Promise<State> {
  const [storage, owner] = await Promise.all([openStorage(parseStorageAddress(place)), thisProcess()])
  const sleep = async (delayMs: number): Promise<void> => {
    await setTimeout(delayMs, undefined, { signal }).catch(() => signal?.throwIfAborted())
  }
  return { storage, owner, tools: { now: Date.now, random: Math.random, sleep, leaseMs } }
}
