/** Object storage: the interface that memory, folders and S3 implement. */

import { IngestError } from '../errors.js'

/** Identifies one content of one key. Opaque; never reused for another content. */
export type Version = string

/** The content of an object and its version. */
export type Stored = { readonly body: Buffer; readonly version: Version }

/** An object in a listing. */
export type Listed = { readonly key: string; readonly bytes: number }

export type Page = {
  readonly objects: readonly Listed[]
  /** Pass this as `after` to get the next page; undefined on the last page. */
  readonly next: string | undefined
}

export type ListOptions = {
  /** List only keys that sort after this one. The key need not exist. */
  readonly after?: string | undefined
  /** Maximum number of objects per page. Default: 1000. */
  readonly limit?: number | undefined
}

/**
 * Named objects that outlive a process.
 *
 * Keys are `/`-separated names in UTF-8 of at most 900 bytes and sort by their bytes; `isKey` defines valid keys. Bodies
 * are whole buffers, so more than a few megabytes should be split into several objects.
 *
 * Every backend guarantees the following, and test/storage/contract.ts runs over each:
 * - A write that returned is visible in full to every reader in every process.
 * - No reader sees a part of an object.
 * - Of several `putIfAbsent` calls for one key, exactly one succeeds.
 * - A `putIfMatch` that lost throws and changes nothing.
 * - `list` returns complete objects only.
 * - `delete` of a missing object succeeds.
 * - A write that threw `storage_failed` has either taken effect in full or not at all.
 *
 * @throws {IngestError} all methods: `storage_failed` when the backend cannot be reached or is full, `storage_denied` when
 * it refuses access, `usage` for an invalid key
 */
export interface Storage {
  /** The location for people, without secrets. */
  readonly description: string
  get(key: string): Promise<Buffer | undefined>
  getVersioned(key: string): Promise<Stored | undefined>
  /** Creates or replaces an object. */
  put(key: string, body: Buffer): Promise<Version>
  /** Creates an object. @returns undefined when the key exists already */
  putIfAbsent(key: string, body: Buffer): Promise<Version | undefined>
  /** Replaces the content of that version. @throws {VersionConflict} when the current version differs */
  putIfMatch(key: string, body: Buffer, version: Version): Promise<Version>
  /**
   * Lists objects whose keys begin with `prefix`, in key order. The prefix need not end with a slash. Objects that are
   * written or deleted during the listing may or may not be included.
   */
  list(prefix: string, options?: ListOptions): Promise<Page>
  /** Deletes an object if it exists. */
  delete(key: string): Promise<void>
  /** Deletes every object whose key begins with `prefix`, which must end with a slash. */
  deletePrefix(prefix: string): Promise<void>
  /** Closes connections. The objects stay. */
  close(): Promise<void>
}

/** A compare-and-swap failed because another process wrote first. */
export class VersionConflict extends IngestError {
  constructor(key: string) {
    super('state_conflict', `${key} was changed by another process`, { hint: 'run the command again' })
  }
}

const MAX_KEY_BYTES = 900
export const PAGE_OBJECTS = 1000

/** Whether a text is a valid key: no empty, `.` or `..` part, no control character or lone surrogate, at most 900 bytes. */
export function isKey(text: string): boolean {
  return (
    !text.split('/').some(part => part === '' || part === '.' || part === '..') &&
    !/[\p{Control}\p{Surrogate}]/u.test(text) &&
    Buffer.byteLength(text) <= MAX_KEY_BYTES
  )
}

/** Orders keys by their UTF-8 bytes, which differs from JavaScript's string order. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** @throws {IngestError} `usage` unless `isKey` */
export function assertKey(key: string): void {
  if (!isKey(key)) throw new IngestError('usage', `${JSON.stringify(key.slice(0, 100))} is not a valid object key`)
}

/** @throws {IngestError} `usage` unless the prefix is a valid key followed by a slash */
export function assertFolderPrefix(prefix: string): void {
  if (!prefix.endsWith('/') || !isKey(prefix.slice(0, -1)))
    throw new IngestError(
      'usage',
      `${JSON.stringify(prefix.slice(0, 100))} must be a key prefix that ends with a slash`,
    )
}

/** All objects whose keys begin with `prefix`, fetched page by page. */
export async function* listAll(
  storage: Pick<BucketStorage, 'list'>,
  prefix: string,
  from: ListOptions = {},
): AsyncGenerator<Listed> {
  let after = from.after
  do {
    const { objects, next } = await storage.list(prefix, { ...from, after })
    yield* objects
    after = next
  } while (after !== undefined)
}

/**
 * Storage of a bucket. Other programs read its objects too, so a local object is an ordinary file and an S3 object holds
 * the body alone. There are no versions.
 */
export interface BucketStorage {
  /** The location for people, without secrets. */
  readonly description: string
  get(key: string): Promise<Buffer | undefined>
  /** Creates or replaces an object atomically. The object is durable when this resolves. */
  put(key: string, body: Buffer): Promise<unknown>
  /** Lists objects like `Storage`. A folder gives all of them as one page. */
  list(prefix: string, options?: ListOptions): Promise<Page>
  close(): Promise<void>
}

export type BucketStorageOptions = {
  /** Fail when the folder is missing instead of creating it: a missing mount would otherwise be filled. Default: false. */
  readonly mustExist?: boolean
}
