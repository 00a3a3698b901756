/** Lists one page of keys below a prefix. */

import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3'
import { retryTransient } from './client.js'

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
