/** The requests to one bucket, each bounded in time and tried again where that may help and cannot harm. */

import { S3Client } from '@aws-sdk/client-s3'
import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, NODE_REGION_CONFIG_OPTIONS } from '@smithy/core/config'
import { setTimeout } from 'node:timers/promises'
import { userAgent } from '../../package-file.js'
import type { S3Address } from '../address.js'
import { silenceVersionWarning, silentLogger } from '../aws-sdk.js'
import { isTransient } from './failure.js'

export const MAX_ATTEMPTS = 5

const FIRST_DELAY_MS = 100
const CONNECT_MS = 5_000
/** From the first byte of the question to the head of the answer. */
const REQUEST_MS = 30_000

export function createS3Client({ region, endpoint, pathStyle }: S3Address): S3Client {
  silenceVersionWarning()
  return new S3Client({
    ...(endpoint !== undefined && { endpoint, region: anyRegion }),
    ...(region !== undefined && { region }),
    forcePathStyle: pathStyle,
    followRegionRedirects: true,
    // A write that is tried again needs a new name, so the tries are counted here and not in the SDK.
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

/** Stores that are not AWS's have none to be known, and signatures need one. */
const anyRegion = loadConfig({ ...NODE_REGION_CONFIG_OPTIONS, default: 'us-east-1' }, NODE_REGION_CONFIG_FILE_OPTIONS)

/** Repeats what may be repeated: reading and deleting. */
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

/** Twice as long after each attempt, and never the same for two who met. */
export function waitBeforeRetry(attempt: number): Promise<void> {
  return setTimeout(FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.5 + Math.random()))
}
