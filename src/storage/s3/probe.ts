/** Stores exist that ignore conditions: there, every writer wins, and data is lost without a word. */

import { randomUUID } from 'node:crypto'
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { IngestError } from '../../errors.js'
import { retryTransient } from './client.js'
import { isConditionFailed, isMissing } from './failure.js'

/**
 * Asks to replace a content that cannot be there, of an object that is not there.
 * @throws {IngestError} `storage_failed` when the store does so
 */
export async function assertHonoursConditions(client: S3Client, bucket: string, prefix: string): Promise<void> {
  const place = { Bucket: bucket, Key: `${prefix}.vortex-ingest-probe-${randomUUID()}` }
  try {
    await retryTransient(() =>
      client.send(new PutObjectCommand({ ...place, Body: '', IfMatch: '"00000000000000000000000000000000"' })),
    )
  } catch (error) {
    if (isConditionFailed(error) || isMissing(error)) return
    throw error
  }
  await retryTransient(() => client.send(new DeleteObjectCommand(place)))
  throw new IngestError('storage_failed', `s3://${bucket}: this store ignores conditions (If-Match) on writes`, {
    hint: 'use one that honours conditional writes; without them two processes overwrite each other',
  })
}
