/** Writes an archive's objects. An existing object is never overwritten. */

import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { IngestError } from '../../errors.js'
import type { BucketStorage } from '../../storage/storage.js'

const decompress = promisify(gunzip)

/**
 * Writes an object unless it exists.
 * @returns false when the object existed before
 * @throws {IngestError} `target_misconfigured` when the existing object contains different lines
 */
export async function store(objects: BucketStorage, key: string, body: Buffer): Promise<boolean> {
  const existing = await objects.get(key)
  // No other process writes the object in the meantime, because the lease of this target and commit is held.
  if (existing === undefined) await objects.put(key, body)
  else if (!existing.equals(body)) await assertHolds(existing, body, `${key} in ${objects.description}`)
  return existing === undefined
}

/**
 * Compares the uncompressed lines, because another version of zlib may compress the same lines differently. The existing object
 * may have more lines at its start, because the first lines of a retried delivery may have been pruned since.
 */
async function assertHolds(existing: Buffer, body: Buffer, where: string): Promise<void> {
  const hint = 'give each state its own archive, or move that object away'
  let existingLines: Buffer
  try {
    existingLines = await decompress(existing)
  } catch (cause) {
    throw new IngestError('target_misconfigured', `${where} is not a complete gzip file`, { cause, hint })
  }
  const lines = await decompress(body)
  if (lines.equals(existingLines.subarray(Math.max(0, existingLines.length - lines.length)))) return
  throw new IngestError('target_misconfigured', `${where} holds other records: another state wrote them`, { hint })
}
