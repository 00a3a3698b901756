/** From an address to plain objects. */

import type { StorageAddress } from './address.js'
import type { PlainObjects, PlainOptions } from './plain-objects.js'

/** The code of a backend is loaded when it is named. @throws {IngestError} as `Storage` */
export async function openPlain(address: StorageAddress, options: PlainOptions = {}): Promise<PlainObjects> {
  switch (address.kind) {
    case 'memory':
      return (await import('./memory.js')).memoryStorage()
    case 'local':
      return (await import('./local/plain.js')).plainFiles(address.folder, options)
    case 's3':
      return (await import('./s3/plain.js')).plainObjects(address)
  }
}
