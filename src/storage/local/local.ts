/**
 * Storage in a folder that several processes and containers may use at once without locks. Each key is a folder of its
 * own; docs/adr/0011 explains why. Requires a local file system with atomic rename(2) that all processes see alike. NFS
 * does not qualify.
 */

import { resolve } from 'node:path'
import {
  assertFolderPrefix,
  assertKey,
  PAGE_OBJECTS,
  VersionConflict,
  type Listed,
  type ListOptions,
  type Page,
  type Storage,
  type Stored,
  type Version,
} from '../storage.js'
import { findContent, readContent } from './content.js'
import { explainFileErrors } from './durable-files.js'
import { keyFolder, prefixFolder } from './key-folder.js'
import { sweepStaging, createContent, removeFolder, replaceContent } from './write.js'
import { walkKeys } from './walk.js'

export type LocalOptions = {
  /** The clock, milliseconds since 1970. Distinguishes leftover files from files that are being written. */
  readonly now?: () => number
}

/**
 * Opens a folder, which need not exist yet, and removes what killed processes left there more than an hour ago.
 * @throws {IngestError} `storage_failed` when the path is a file
 */
export async function openLocalStorage(folder: string, { now = Date.now }: LocalOptions = {}): Promise<Storage> {
  const root = resolve(folder)
  await explainFileErrors(root, () => sweepStaging(root, now))
  return new LocalStorage(root)
}

class LocalStorage implements Storage {
  readonly description: string

  constructor(root: string) {
    this.description = root
  }

  async get(key: string): Promise<Buffer | undefined> {
    return (await this.getVersioned(key))?.body
  }

  getVersioned(key: string): Promise<Stored | undefined> {
    return this.#explained(() => readContent(this.#folderOf(key)))
  }

  put(key: string, body: Buffer): Promise<Version> {
    return this.#explained(async () => {
      const folder = this.#folderOf(key)
      // Repeated when another writer was first.
      for (;;) {
        const found = await findContent(folder)
        const written =
          found === undefined
            ? await createContent(this.description, folder, body)
            : await replaceContent(folder, body, found.version)
        if (written !== undefined) return written
      }
    })
  }

  putIfAbsent(key: string, body: Buffer): Promise<Version | undefined> {
    return this.#explained(() => createContent(this.description, this.#folderOf(key), body))
  }

  putIfMatch(key: string, body: Buffer, version: Version): Promise<Version> {
    return this.#explained(async () => {
      const written = await replaceContent(this.#folderOf(key), body, version)
      if (written === undefined) throw new VersionConflict(key)
      return written
    })
  }

  list(prefix: string, { after, limit = PAGE_OBJECTS }: ListOptions = {}): Promise<Page> {
    return this.#explained(async () => {
      const objects: Listed[] = []
      for await (const listed of walkKeys({ root: this.description, prefix, after })) {
        if (objects.length === limit) return { objects, next: objects.at(-1)?.key }
        objects.push(listed)
      }
      return { objects, next: undefined }
    })
  }

  delete(key: string): Promise<void> {
    return this.#explained(() => removeFolder(this.description, this.#folderOf(key)))
  }

  deletePrefix(prefix: string): Promise<void> {
    return this.#explained(async () => {
      assertFolderPrefix(prefix)
      await removeFolder(this.description, prefixFolder(this.description, prefix))
    })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #folderOf(key: string): string {
    assertKey(key)
    return keyFolder(this.description, key)
  }

  #explained<T>(operation: () => Promise<T>): Promise<T> {
    return explainFileErrors(this.description, operation)
  }
}
