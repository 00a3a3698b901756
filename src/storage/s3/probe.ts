/** Detects stores that ignore write conditions. In such a store every writer succeeds and data is lost silently. */

import { randomUUID } from 'node:crypto'
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { IngestError } from '../../errors.js'
import { retryTransient } from './client.js'
import { isConditionFailed, isMissing } from './failure.js'

/**
 * Sends a write with a condition that cannot hold, to a key that does not exist.
 * @throws {IngestError} `storage_failed` when the store accepts the write
 */
export async function assertHonoursConditions(client: S3Client, bucket: string, prefix: string): Promise<void> {
  const location = { Bucket: bucket, Key: `${prefix}.vortex-ingest-probe-${randomUUID()}` }
  try {
    await retryTransient(() =>
      client.send(new PutObjectCommand({ ...location, Body: '', IfMatch: '"00000000000000000000000000000000"' })),
    )
  } catch (error) {
    if (isConditionFailed(error) || isMissing(error)) return
    throw error
  }
  await retryTransient(() => client.send(new DeleteObjectCommand(location)))
  throw new IngestError('storage_failed', `s3://${bucket}: this store ignores conditions (If-Match) on writes`, {
    hint: 'use a store with conditional writes; without them processes overwrite each other',
  })
}
