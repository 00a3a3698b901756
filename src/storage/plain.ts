/** Objects that other programs read too: a file is a file, an object in S3 its body and nothing else. No versions. */

import type { StorageAddress } from './address.js'

export interface PlainObjects {
  /** In words, without secrets. */
  readonly description: string
  get(key: string): Promise<Buffer | undefined>
  /** Makes or replaces; whole or not at all, and on the disk when it returns. */
  put(key: string, body: Buffer): Promise<void>
  close(): Promise<void>
}

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
