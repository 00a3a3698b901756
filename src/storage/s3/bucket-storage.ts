/** Bucket storage in S3: each object holds the body alone, without a header. */

import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import type { S3Address } from '../address.js'
import { assertKey, isKey, PAGE_OBJECTS, type BucketStorage } from '../storage.js'
import { createS3Client, listKeys, retryTransient } from './client.js'
import { isMissing, s3Error } from './failure.js'

/** Sends no request yet: wrong credentials, region or bucket show up with the first operation. */
export function s3BucketStorage(address: S3Address): BucketStorage {
  const { bucket, prefix } = address
  const client = createS3Client(address)
  const description = `s3://${[bucket, ...(prefix === '' ? [] : [prefix])].join('/')}`
  const explainErrors = <T>(operation: () => Promise<T>): Promise<T> =>
    operation().catch((error: unknown) => {
      throw s3Error(description, error)
    })
  // All operations may be retried, because writing the same body again changes nothing.
  const retried = <T>(operation: () => Promise<T>): Promise<T> => explainErrors(() => retryTransient(operation))
  const root = prefix === '' ? '' : `${prefix}/`
  const locate = (key: string): { readonly Bucket: string; readonly Key: string } => {
    assertKey(key)
    return { Bucket: bucket, Key: root + key }
  }
  return {
    description,
    get: key =>
      retried(async () => {
        try {
          const { Body } = await client.send(new GetObjectCommand(locate(key)))
          return Buffer.from((await Body?.transformToByteArray()) ?? [])
        } catch (error) {
          if (isMissing(error)) return undefined
          throw error
        }
      }),
    put: (key, body) =>
      retried(async () => void (await client.send(new PutObjectCommand({ ...locate(key), Body: body })))),
    list: (below, { after, limit = PAGE_OBJECTS } = {}) =>
      explainErrors(async () => {
        const from = after === undefined ? undefined : root + after
        const { keys, isLast } = await listKeys({ client, bucket, prefix: root + below, after: from, limit })
        const listed = keys.map(({ key, bytes }) => ({ key: key.slice(root.length), bytes }))
        return { objects: listed.filter(({ key }) => isKey(key)), next: isLast ? undefined : listed.at(-1)?.key }
      }),
    close: async () => client.destroy(),
  }
}
