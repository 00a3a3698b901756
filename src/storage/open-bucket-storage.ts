/** From an address to plain objects. */

import type { StorageAddress } from './address.js'
import type { BucketStorage, BucketStorageOptions } from './bucket-storage.js'

/** The code of a backend is loaded when it is named. @throws {IngestError} as `Storage` */
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
