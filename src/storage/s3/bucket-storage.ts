/** Bucket storage in S3: each object holds the body alone, without a header. */

import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import type { S3Address } from '../address.js'
import { type BucketStorage, assertKey } from '../storage.js'
import { createS3Client, retryTransient } from './client.js'
import { isMissing, s3Error } from './failure.js'

/** Sends no request yet: wrong credentials, region or bucket show up with the first operation. */
export function s3BucketStorage(address: S3Address): BucketStorage {
  const { bucket, prefix } = address
  const client = createS3Client(address)
  const description = `s3://${[bucket, ...(prefix === '' ? [] : [prefix])].join('/')}`
  const explainErrors = async <T>(operation: () => Promise<T>): Promise<T> => {
    try {
      // All operations may be retried, because writing the same body again changes nothing.
      return await retryTransient(operation)
    } catch (error) {
      throw s3Error(description, error)
    }
  }
  const locate = (key: string): { readonly Bucket: string; readonly Key: string } => {
    assertKey(key)
    return { Bucket: bucket, Key: prefix === '' ? key : `${prefix}/${key}` }
  }
  return {
    description,
    get: key =>
      explainErrors(async () => {
        try {
          const { Body } = await client.send(new GetObjectCommand(locate(key)))
          return Buffer.from((await Body?.transformToByteArray()) ?? [])
        } catch (error) {
          if (isMissing(error)) return undefined
          throw error
        }
      }),
    put: (key, body) =>
      explainErrors(async () => void (await client.send(new PutObjectCommand({ ...locate(key), Body: body })))),
    close: async () => client.destroy(),
  }
}
