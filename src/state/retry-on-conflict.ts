/** Optimistic concurrency: repeats a compare-and-swap that lost to another process. */

import { VersionConflict } from '../storage/storage.js'
import type { State } from './state.js'

const FIRST_DELAY_MS = 5
const MAX_DELAY_MS = 500

/**
 * Repeats `attempt` until it does not throw `VersionConflict`, with random delays that grow up to 500 ms.
 * @param attempt reads the current version, changes it and writes it back
 */
export async function retryOnConflict<T>({ tools }: State, attempt: () => Promise<T>): Promise<T> {
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
      await tools.sleep(tools.random() * delayMs)
    }
  }
}
