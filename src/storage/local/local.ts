/**
 * Objects as folders of a file system that several processes and containers may use at once, without locks: each key is
 * a folder of its own, which docs/adr/0011 explains. It must be a file system where rename(2) is atomic and where all
 * of them see the same: a local one, not NFS.
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
import { explainFileErrors } from './failure.js'
import { keyFolder, prefixFolder } from './key-folder.js'
import { sweepStaging } from './sweep.js'
import { walkKeys } from './walk.js'
import { createContent, removeFolder, replaceContent } from './write.js'

export type LocalOptions = {
  /** Milliseconds since 1970, to tell what is left over from what is being written. */
  readonly now?: () => number
}

/**
 * Opens the folder, which need not exist yet, and sweeps up what processes left there that were killed an hour ago.
 * @throws {IngestError} `storage_failed` when it is a file
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
      // Each round that fails is one that another writer has won.
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
