/** A command that is loaded when it runs: every start loads what all commands load at once. */

import type { Action } from './context.js'

export function lazy<Flags>(load: () => Promise<Action<Flags>>): Action<Flags> {
  return async (...params) => (await load())(...params)
}
