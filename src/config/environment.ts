/** Which variables there are, whatever command they are for. */

import { detectCi, type Environment } from '../commit/ci.js'

/** Every flag can be set by a variable of this prefix and its name: `--commit-sha` by `VORTEX_INGEST_COMMIT_SHA`. */
export const ENV_PREFIX = 'VORTEX_INGEST_'

/** The variables of a program that has many of them. */
export function startingWith(prefix: string, env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith(prefix)))
}

/** Nobody looks at a terminal there, were there one. */
export function isCi(env: Environment): boolean {
  return detectCi(env) !== undefined
}

/** Colour only where a person looks, and never against their wish (no-color.org). */
export function wantsColor(stream: { readonly isTTY?: boolean }, env: Environment): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}
