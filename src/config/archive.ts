/** The configuration of a push's archive. */

import { IngestError } from '../errors.js'
import { locationsOverlap } from '../targets/archive/location.js'
import { parseStorageAddress, type StorageAddress } from '../storage/address.js'

export type ArchiveFlags = { readonly archive?: string; readonly state?: string }

/**
 * Parses the archive's address.
 * @throws {IngestError} `usage` without a state, or when archive and state overlap
 */
export function archiveConfig({ archive, state }: ArchiveFlags): StorageAddress | undefined {
  if (archive === undefined) return undefined
  if (state === undefined) {
    const hint = 'give --state DIR, too: an archive takes what the outbox there has numbered'
    throw new IngestError('usage', '--archive goes with --state', { hint })
  }
  const address = parseStorageAddress(archive)
  if (address.kind === 'memory')
    throw new IngestError('usage', '--archive memory: would be gone with the process', {
      hint: 'name a folder or s3://',
    })
  if (locationsOverlap(address, parseStorageAddress(state)))
    throw new IngestError('usage', '--archive and --state name the same place, or one in the other', {
      hint: 'give each a place of its own',
    })
  return address
}
