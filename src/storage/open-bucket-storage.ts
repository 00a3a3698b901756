/** Opens the storage of a bucket from its address. */

import type { StorageAddress } from './address.js'
import type { BucketStorage, BucketStorageOptions } from './bucket-storage.js'

/** Loads only the code of the backend that is named. @throws {IngestError} the errors of `Storage` */
export async function openBucketStorage(
  address: StorageAddress,
  options: BucketStorageOptions = {},
): Promise<BucketStorage> {
  switch (address.kind) {
    case 'memory':
      return (await import('./memory.js')).memoryStorage()
    case 'local':
      return (await import('./local/bucket-storage.js')).localBucketStorage(address.folder, options)
    case 's3':
      return (await import('./s3/bucket-storage.js')).s3BucketStorage(address)
  }
}
