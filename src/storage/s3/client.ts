/** The S3 client, with timeouts, and retries of requests that are safe to repeat. */

import { setTimeout } from 'node:timers/promises'
import { S3Client, ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, NODE_REGION_CONFIG_OPTIONS } from '@smithy/core/config'
import { userAgent } from '../../package-file.js'
import type { S3Address } from '../address.js'
import { prepareAwsSdk, silentLogger } from '../aws-sdk.js'
import { isTransient } from './failure.js'

export const MAX_ATTEMPTS = 5

const FIRST_DELAY_MS = 100
const CONNECT_MS = 5_000
/** From sending the request to receiving the response headers. */
const REQUEST_MS = 30_000

export function createS3Client({ region, endpoint, pathStyle }: S3Address): S3Client {
  prepareAwsSdk()
  return new S3Client({
    ...(endpoint !== undefined && { endpoint, region: defaultRegion }),
    ...(region !== undefined && { region }),
    forcePathStyle: pathStyle,
    followRegionRedirects: true,
    // The SDK must not retry: each attempt of a write needs a new write id, see conditional-write.ts.
    maxAttempts: 1,
    logger: silentLogger,
    customUserAgent: userAgent(),
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: REQUEST_MS,
      throwOnRequestTimeout: true,
      socketTimeout: REQUEST_MS,
    },
  })
}

/** Default region for S3-compatible stores: they ignore the region, but signatures need one. */
const defaultRegion = loadConfig(
  { ...NODE_REGION_CONFIG_OPTIONS, default: 'us-east-1' },
  NODE_REGION_CONFIG_FILE_OPTIONS,
)

/** Retries an idempotent operation, such as a read or delete, after transient errors. */
export async function retryTransient<T>(operation: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation()
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isTransient(error)) throw error
      await waitBeforeRetry(attempt)
    }
  }
}

/** Exponential backoff with jitter. @param attempt counted from 1 */
export function waitBeforeRetry(attempt: number): Promise<void> {
  return setTimeout(FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.5 + Math.random()))
}

export type KeyPage = {
  readonly keys: readonly { readonly key: string; readonly bytes: number }[]
  readonly isLast: boolean
}

export type ListQuery = {
  readonly client: S3Client
  readonly bucket: string
  readonly prefix: string
  readonly after: string | undefined
  readonly limit: number
}

export async function listKeys({ client, bucket, prefix, after, limit }: ListQuery): Promise<KeyPage> {
  const command = new ListObjectsV2Command({
    Bucket: bucket,
    Prefix: prefix,
    MaxKeys: limit,
    // XML cannot represent every character that a key may contain.
    EncodingType: 'url',
    ...(after !== undefined && { StartAfter: after }),
  })
  const answer = await retryTransient(() => client.send(command))
  const keys = (answer.Contents ?? []).map(({ Key = '', Size = 0 }) => ({ key: decodeKey(Key, answer), bytes: Size }))
  return { keys, isLast: answer.IsTruncated !== true || keys.length === 0 }
}

/** Stores that do not support the encoding omit it from the response. */
function decodeKey(key: string, { EncodingType }: ListObjectsV2CommandOutput): string {
  return EncodingType === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key
}
