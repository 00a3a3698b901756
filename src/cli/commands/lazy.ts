/** Loads a command's implementation when the command runs, so that starting the program does not load every command. */

import type { Action } from '../context.js'

export function lazy<Flags>(load: () => Promise<Action<Flags>>): Action<Flags> {
  return async (...params) => (await load())(...params)
}
