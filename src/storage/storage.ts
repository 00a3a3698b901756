/** A place for named objects that outlive a process: the one interface of memory, folders and S3. */

import { IngestError } from '../errors.js'

/** Names one content of one key; opaque, and never given to another content. */
export type Version = string

export type Stored = { readonly body: Buffer; readonly version: Version }

export type Listed = { readonly key: string; readonly bytes: number }

export type Page = {
  readonly objects: readonly Listed[]
  /** What to list after to get the next page; undefined on the last one. */
  readonly next: string | undefined
}

export type ListOptions = {
  /** Only keys that sort after this one, which need not exist. */
  readonly after?: string | undefined
  /** Objects a page at most. Default: 1000. */
  readonly limit?: number | undefined
}

/**
 * Keys are `/`-separated names in UTF-8, at most 900 bytes long, and sort by their bytes; `assertKey` says which there
 * are. Bodies are whole buffers: whoever has more than a few megabytes stores several objects.
 *
 * What holds for every backend (test/storage/contract.ts runs it over each): a write that returned is visible in full to
 * any reader in any process; no reader ever sees a part of one; of several `putIfAbsent` of a key exactly one wins; a
 * `putIfMatch` that lost throws and changes nothing; `list` shows whole objects and nothing else; `delete` of what is
 * not there is done. A write that threw `storage_failed` may have been done all the same, in full or not at all.
 *
 * @throws {IngestError} all methods: `storage_failed` when the backend cannot be reached or has no room,
 * `storage_denied` when it says no, `usage` for a key that cannot be one
 */
export interface Storage {
  /** In words, without secrets. */
  readonly description: string
  get(key: string): Promise<Buffer | undefined>
  getVersioned(key: string): Promise<Stored | undefined>
  /** Makes or replaces. */
  put(key: string, body: Buffer): Promise<Version>
  /** @returns undefined when the key was there already */
  putIfAbsent(key: string, body: Buffer): Promise<Version | undefined>
  /** Replaces the content that `version` names. @throws {VersionConflict} when that is not what is there */
  putIfMatch(key: string, body: Buffer, version: Version): Promise<Version>
  /**
   * Objects whose keys begin with `prefix`, whether or not it ends at a slash, in the order of their keys. What is
   * written or deleted meanwhile may be in it or not.
   */
  list(prefix: string, options?: ListOptions): Promise<Page>
  delete(key: string): Promise<void>
  /** Deletes every object whose key begins with `prefix`, which must end with a slash. */
  deletePrefix(prefix: string): Promise<void>
  /** Lets go of connections; the objects stay. */
  close(): Promise<void>
}

/** Somebody else wrote first. */
export class VersionConflict extends IngestError {
  constructor(key: string) {
    super('state_conflict', `${key} was changed by another process`, { hint: 'run it again' })
  }
}

export const MAX_KEY_BYTES = 900
export const PAGE_OBJECTS = 1000

/** Whether this can be a key: no empty, `.` or `..` part, no control character, no lone surrogate, not too many bytes. */
export function isKey(text: string): boolean {
  return (
    !text.split('/').some(part => part === '' || part === '.' || part === '..') &&
    !/[\p{Control}\p{Surrogate}]/u.test(text) &&
    Buffer.byteLength(text) <= MAX_KEY_BYTES
  )
}

/** @throws {IngestError} `usage` for what `isKey` says is none */
export function assertKey(key: string): void {
  if (!isKey(key)) throw new IngestError('usage', `${JSON.stringify(key.slice(0, 100))} cannot be the key of an object`)
}

/** @throws {IngestError} `usage` for what does not name all keys of a folder */
export function assertFolderPrefix(prefix: string): void {
  if (!prefix.endsWith('/') || !isKey(prefix.slice(0, -1)))
    throw new IngestError('usage', `${JSON.stringify(prefix.slice(0, 100))} is not a prefix that ends with a slash`)
}

/** Every object below a prefix, page by page. */
export async function* listAll(storage: Storage, prefix: string, from: ListOptions = {}): AsyncGenerator<Listed> {
  let after = from.after
  do {
    const { objects, next } = await storage.list(prefix, { ...from, after })
    yield* objects
    after = next
  } while (after !== undefined)
}
