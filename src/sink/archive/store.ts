/** One object of an archive, written once: what is there already is never replaced by something else. */

import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { IngestError } from '../../errors.js'
import type { BucketStorage } from '../../storage/bucket-storage.js'

const unpack = promisify(gunzip)

/**
 * @returns false when it was there before
 * @throws {IngestError} `target_misconfigured` when what is there holds other lines
 */
export async function store(objects: BucketStorage, key: string, body: Buffer): Promise<boolean> {
  const there = await objects.get(key)
  // Nobody else writes it meanwhile: there is one lease for a target and a commit.
  if (there === undefined) await objects.put(key, body)
  else if (!there.equals(body)) await assertHolds(there, body, `${key} in ${objects.description}`)
  return there === undefined
}

/** Another version of zlib may compress the same lines otherwise, and of lines sent again the first may be pruned. */
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
