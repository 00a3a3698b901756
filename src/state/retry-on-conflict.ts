/** Tries a change again that lost against another process's. */

import { VersionConflict } from '../storage/storage.js'
import type { State } from './state.js'

const FIRST_DELAY_MS = 5
const MAX_DELAY_MS = 500

/** Reads, changes and writes anew until nobody else was faster. @param attempt throws `VersionConflict` when it lost */
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
