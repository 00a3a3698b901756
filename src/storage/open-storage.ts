/** From an address to its storage; the code of a backend is loaded when it is named. */

import type { StorageAddress } from './address.js'
import { memoryStorage } from './memory.js'
import type { Storage } from './storage.js'

export type OpenOptions = {
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/**
 * Opens a storage; neither a folder nor a prefix need exist yet. Each `memory:` is a new one.
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
