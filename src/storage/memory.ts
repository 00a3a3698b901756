/** Storage in memory. The objects are gone when the process ends. */

import {
  assertFolderPrefix,
  assertKey,
  compareKeys,
  PAGE_OBJECTS,
  VersionConflict,
  type Listed,
  type ListOptions,
  type Page,
  type Storage,
  type Stored,
  type Version,
} from './storage.js'

export function memoryStorage(): Storage {
  return new MemoryStorage()
}

class MemoryStorage implements Storage {
  readonly description = 'memory:'
  #objects = new Map<string, Stored>()
  #writes = 0

  get(key: string): Promise<Buffer | undefined> {
    return this.getVersioned(key).then(stored => stored?.body)
  }

  async getVersioned(key: string): Promise<Stored | undefined> {
    assertKey(key)
    const stored = this.#objects.get(key)
    return stored && { ...stored, body: Buffer.from(stored.body) }
  }

  async put(key: string, body: Buffer): Promise<Version> {
    assertKey(key)
    const version = String(++this.#writes)
    this.#objects.set(key, { body: Buffer.from(body), version })
    return version
  }

  async putIfAbsent(key: string, body: Buffer): Promise<Version | undefined> {
    assertKey(key)
    return this.#objects.has(key) ? undefined : this.put(key, body)
  }

  async putIfMatch(key: string, body: Buffer, version: Version): Promise<Version> {
    assertKey(key)
    if (this.#objects.get(key)?.version !== version) throw new VersionConflict(key)
    return this.put(key, body)
  }

  async list(prefix: string, { after, limit = PAGE_OBJECTS }: ListOptions = {}): Promise<Page> {
    const found: Listed[] = [...this.#objects]
      .filter(([key]) => key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0))
      .map(([key, { body }]) => ({ key, bytes: body.length }))
      .sort((a, b) => compareKeys(a.key, b.key))
    const objects = found.slice(0, limit)
    return { objects, next: found.length > limit ? objects.at(-1)?.key : undefined }
  }

  async delete(key: string): Promise<void> {
    assertKey(key)
    this.#objects.delete(key)
  }

  async deletePrefix(prefix: string): Promise<void> {
    assertFolderPrefix(prefix)
    for (const key of [...this.#objects.keys()]) if (key.startsWith(prefix)) this.#objects.delete(key)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
