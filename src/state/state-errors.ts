/** What state must not hold: objects that are damaged, and those of a newer program. Both stop whoever needs them. */

import { IngestError } from '../errors.js'

export const STATE_VERSION = 1

/** Nothing is skipped over or made up: a person decides what becomes of it. */
export function corruptStateError(where: string, what: string, cause?: unknown): IngestError {
  const hint = 'it was left as it is; docs/state.md, "When state is damaged", says what to do'
  return new IngestError('state_corrupt', `${where} is damaged: ${what}`, { cause, hint })
}

/** @throws {IngestError} `state_version` */
export function assertStateVersion(version: number, where: string): void {
  if (version === STATE_VERSION) return
  const hint = 'use the vortex-ingest that wrote it, or a newer one; it was left as it is'
  throw new IngestError('state_version', `${where} has version ${version}; this program knows ${STATE_VERSION}`, {
    hint,
  })
}
