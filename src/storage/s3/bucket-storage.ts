/** Plain objects in a bucket: their bodies are what was given. */

import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import type { S3Address } from '../address.js'
import type { BucketStorage } from '../bucket-storage.js'
import { assertKey } from '../storage.js'
import { createS3Client, retryTransient } from './client.js'
import { isMissing, toIngestError } from './failure.js'

/** Asks nothing yet: credentials, region and bucket are met with the first operation. */
export function s3BucketStorage(address: S3Address): BucketStorage {
  const { bucket, prefix } = address
  const client = createS3Client(address)
  const description = `s3://${[bucket, ...(prefix === '' ? [] : [prefix])].join('/')}`
  const explained = async <T>(operation: () => Promise<T>): Promise<T> => {
    try {
      // Writing the same once more does no harm, so all of it may be tried again.
      return await retryTransient(operation)
    } catch (error) {
      throw toIngestError(description, error)
    }
  }
  const placeOf = (key: string): { readonly Bucket: string; readonly Key: string } => {
    assertKey(key)
    return { Bucket: bucket, Key: prefix === '' ? key : `${prefix}/${key}` }
  }
  return {
    description,
    get: key =>
      explained(async () => {
        try {
          const { Body } = await client.send(new GetObjectCommand(placeOf(key)))
          return Buffer.from((await Body?.transformToByteArray()) ?? [])
        } catch (error) {
          if (isMissing(error)) return undefined
          throw error
        }
      }),
    put: (key, body) =>
      explained(async () => void (await client.send(new PutObjectCommand({ ...placeOf(key), Body: body })))),
    close: async () => client.destroy(),
  }
}
