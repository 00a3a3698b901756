/** Writes an archive's objects. An existing object is never overwritten. */

import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { IngestError } from '../../errors.js'
import type { PlainObjects } from '../../storage/plain-objects.js'

const unpack = promisify(gunzip)

/**
 * Writes an object unless it exists.
 * @returns false when the object existed before
 * @throws {IngestError} `target_misconfigured` when the existing object contains different lines
 */
export async function store(objects: PlainObjects, key: string, body: Buffer): Promise<boolean> {
  const there = await objects.get(key)
  // No other process writes the object in the meantime, because the lease of this target and commit is held.
  if (there === undefined) await objects.put(key, body)
  else if (!there.equals(body)) await assertHolds(there, body, `${key} in ${objects.description}`)
  return there === undefined
}

/**
 * Compares the uncompressed lines, because another version of zlib may compress the same lines differently. The existing object
 * may have more lines at its start, because the first lines of a retried delivery may have been pruned since.
 */
async function assertHolds(there: Buffer, body: Buffer, where: string): Promise<void> {
  const hint = 'give each state an archive of its own, or move that object away'
  let held: Buffer
  try {
    held = await unpack(there)
  } catch (cause) {
    throw new IngestError('target_misconfigured', `${where} is no gzip, or not all of one`, { cause, hint })
  }
  const lines = await unpack(body)
  if (lines.equals(held.subarray(Math.max(0, held.length - lines.length)))) return
  throw new IngestError('target_misconfigured', `${where} holds other records: another state wrote them`, { hint })
}
