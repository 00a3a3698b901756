/**
 * Storage of a bucket. Other programs read its objects too, so a local object is an ordinary file and an S3 object holds
 * the body alone. There are no versions.
 */

export interface BucketStorage {
  /** The location for people, without secrets. */
  readonly description: string
  get(key: string): Promise<Buffer | undefined>
  /** Creates or replaces an object atomically. The object is durable when this resolves. */
  put(key: string, body: Buffer): Promise<unknown>
  close(): Promise<void>
}

export type BucketStorageOptions = {
  /** Fail when the folder is missing instead of creating it: a missing mount would otherwise be filled. Default: false. */
  readonly mustExist?: boolean
}
