/** From an address to plain objects. */

import type { StorageAddress } from './address.js'
import type { PlainObjects } from './plain-objects.js'

/** The code of a backend is loaded when it is named. @throws {IngestError} as `Storage` */
export async function openPlain(address: StorageAddress): Promise<PlainObjects> {
  switch (address.kind) {
    case 'memory': {
      const { memoryStorage } = await import('./memory.js')
      const storage = memoryStorage()
      return { ...boundTo(storage), put: async (key, body) => void (await storage.put(key, body)) }
    }
    case 'local':
      return (await import('./local/plain.js')).plainFiles(address.folder)
    case 's3':
      return (await import('./s3/plain.js')).plainObjects(address)
  }
}

function boundTo(storage: Omit<PlainObjects, 'put'>): Omit<PlainObjects, 'put'> {
  return { description: storage.description, get: key => storage.get(key), close: () => storage.close() }
}
