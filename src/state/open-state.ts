/** Opens a state. */

import { setTimeout } from 'node:timers/promises'
import { parseStorageAddress, type StorageAddress } from '../storage/address.js'
import { openStorage } from '../storage/open-storage.js'
import { thisProcess, type State } from './state.js'

export type OpenStateOptions = {
  /** How long a lease is valid without renewal, in milliseconds. Default: 30 seconds. */
  readonly leaseMs?: number
  /** Ends waiting for another process. Its reason becomes the error. */
  readonly signal?: AbortSignal
  readonly now?: () => Date
  /** A random number from 0 up to, but not including, 1. */
  readonly random?: () => number
}

const DEFAULT_LEASE_MS = 30_000

/**
 * Opens a state, which a push creates when it does not exist yet. Close it with `state.storage.close()`.
 * @param place a folder, `s3://BUCKET/PREFIX[?region=…]`, or `memory:` for a state that ends with this process
 * @throws {IngestError} `usage` for an invalid address
 */
export async function openState(place: string | StorageAddress, options: OpenStateOptions = {}): Promise<State> {
  const { leaseMs = DEFAULT_LEASE_MS, signal, now = () => new Date(), random = Math.random } = options
  const address = typeof place === 'string' ? parseStorageAddress(place) : place
  const [storage, owner] = await Promise.all([openStorage(address), thisProcess()])
  const sleep = async (delayMs: number): Promise<void> => {
    await setTimeout(delayMs, undefined, { signal }).catch(() => signal?.throwIfAborted())
  }
  return { storage, owner, tools: { now: () => now().getTime(), random, sleep, leaseMs } }
}
