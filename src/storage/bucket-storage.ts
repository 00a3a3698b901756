/** Objects that other programs read too: a file is a file, an object in S3 its body and nothing else. No versions. */

export interface BucketStorage {
  /** In words, without secrets. */
  readonly description: string
  get(key: string): Promise<Buffer | undefined>
  /** Makes or replaces; whole or not at all, and on the disk when it returns. */
  put(key: string, body: Buffer): Promise<unknown>
  close(): Promise<void>
}

export type BucketStorageOptions = {
  /** It was made before: where it is gone, nothing is made in its place, which may be an empty mount point. */
  readonly mustExist?: boolean
}
