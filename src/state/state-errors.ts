/** Errors for state objects that are damaged or have another version than this program writes. */

import { IngestError } from '../errors.js'

export const STATE_VERSION = 1

/**
 * The error for a damaged object. The object is neither skipped nor repaired: an operator decides.
 * @param where the object's key and storage
 */
export function corruptStateError(where: string, what: string, cause?: unknown): IngestError {
  const hint = 'see "When state is damaged" in docs/state.md; the object was not changed'
  return new IngestError('state_corrupt', `${where} is damaged: ${what}`, { cause, hint })
}

/** @throws {IngestError} `state_version` */
export function assertStateVersion(version: number, where: string): void {
  if (version === STATE_VERSION) return
  const hint = 'use the vortex-ingest that wrote it, or a newer one; the object was not changed'
  throw new IngestError(
    'state_version',
    `${where} has version ${version}; this program supports version ${STATE_VERSION}`,
    {
      hint,
    },
  )
}
