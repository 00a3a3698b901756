/** Conditional writes that take effect at most once, although responses may be lost and requests are retried. */

import { randomUUID } from 'node:crypto'
import { HeadObjectCommand, PutObjectCommand, type S3Client, DeleteObjectCommand } from '@aws-sdk/client-s3'
import { IngestError } from '../../errors.js'
import type { Version } from '../storage.js'
import { MAX_ATTEMPTS, waitBeforeRetry, retryTransient } from './client.js'
import { isConditionFailed, isMissing, isTransient, isOutcomeUnknown } from './failure.js'
import { frame } from './frame.js'

export type Condition = { readonly IfNoneMatch?: '*'; readonly IfMatch?: Version }

export type ConditionalWrite = {
  readonly client: S3Client
  readonly bucket: string
  /** The full key, including the prefix. */
  readonly key: string
  readonly condition: Condition
}

const WRITE_ID = 'write-id'

/**
 * Writes an object if the condition holds. Each attempt has its own write id. After a lost response, the write id in the
 * object tells whether an earlier attempt took effect.
 * @returns undefined when the condition did not hold
 */
export async function writeConditionally(to: ConditionalWrite, body: Buffer): Promise<Version | undefined> {
  const sent = new Set<string>()
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeOnce(to, body, sent)
    } catch (error) {
      const own = attempt > 1 || isOutcomeUnknown(error) ? await findOwn(to, sent) : undefined
      if (own !== undefined) return own
      if (isConditionFailed(error) || (to.condition.IfMatch !== undefined && isMissing(error))) return undefined
      if (attempt === MAX_ATTEMPTS || !isTransient(error)) throw error
      await waitBeforeRetry(attempt)
    }
  }
}

async function writeOnce(
  { client, bucket, key, condition }: ConditionalWrite,
  body: Buffer,
  sent: Set<string>,
): Promise<Version> {
  const { writeId, bytes } = frame(body)
  sent.add(writeId)
  const { ETag } = await client.send(
    new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, Metadata: { [WRITE_ID]: writeId }, ...condition }),
  )
  return etagVersion(ETag, key)
}

/** The version of the object when one of these write ids wrote it. */
async function findOwn(
  { client, bucket, key }: ConditionalWrite,
  sent: ReadonlySet<string>,
): Promise<Version | undefined> {
  try {
    const { Metadata, ETag } = await retryTransient(() =>
      client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })),
    )
    return sent.has(Metadata?.[WRITE_ID] ?? '') ? etagVersion(ETag, key) : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

export function etagVersion(etag: string | undefined, key: string): Version {
  if (etag === undefined) throw new IngestError('storage_failed', `the store returned no ETag for ${key}`)
  return etag
}

/**
 * Detects stores that ignore write conditions, in which every writer succeeds and data is lost silently. Sends a write with
 * a condition that cannot hold, to a key that does not exist.
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
