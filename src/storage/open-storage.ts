/** Opens a storage from its address and loads only the code of the backend that is named. */

import type { StorageAddress } from './address.js'
import { memoryStorage } from './memory.js'
import type { Storage, BucketStorage, BucketStorageOptions } from './storage.js'

export type OpenOptions = {
  /** The clock, milliseconds since 1970. */
  readonly now?: () => number
}

/**
 * Opens a storage. A folder or prefix need not exist yet. Each `memory:` opens a new, empty storage.
 * @throws {IngestError} `storage_failed`, `storage_denied`
 */
export async function openStorage(address: StorageAddress, options: OpenOptions = {}): Promise<Storage> {
  switch (address.kind) {
    case 'memory':
      return memoryStorage()
    case 'local':
      return (await import('./local/local.js')).openLocalStorage(address.folder, options)
    case 's3':
      return (await import('./s3/s3.js')).openS3Storage(address)
  }
}

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
