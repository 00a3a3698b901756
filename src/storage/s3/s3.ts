/**
 * Storage in a bucket of S3, or of a compatible store that honours `If-Match` and `If-None-Match`.
 *
 * Each object starts with a header that makes its content unique (frame.ts), so that its ETag serves as the version. When
 * the response to a write is lost, the writer looks for its own write id in the object. Two cases remain: if another
 * process replaced the object meanwhile, the write is reported as a conflict although it took effect; if another process
 * deleted it, `putIfAbsent` may write it again.
 */

import { DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { IngestError } from '../../errors.js'
import type { S3Address } from '../address.js'
import {
  assertFolderPrefix,
  assertKey,
  isKey,
  PAGE_OBJECTS,
  VersionConflict,
  type ListOptions,
  type Page,
  type Storage,
  type Stored,
  type Version,
} from '../storage.js'
import { createS3Client, retryTransient, listKeys, type KeyPage } from './client.js'
import { etagVersion, writeConditionally, type Condition, assertHonoursConditions } from './conditional-write.js'
import { isMissing, s3Error } from './failure.js'
import { HEADER_BYTES, unframe } from './frame.js'

/** Sends no request yet: wrong credentials, region or bucket show up with the first operation. */
export function openS3Storage(address: S3Address): Storage {
  return new S3Storage(address)
}

class S3Storage implements Storage {
  readonly description: string
  readonly #client: S3Client
  readonly #bucket: string
  readonly #prefix: string
  #probed: Promise<void> | undefined

  constructor(address: S3Address) {
    const { bucket, prefix } = address
    this.description = `s3://${[bucket, ...(prefix === '' ? [] : [prefix])].join('/')}`
    this.#client = createS3Client(address)
    this.#bucket = bucket
    this.#prefix = prefix === '' ? '' : `${prefix}/`
  }

  async get(key: string): Promise<Buffer | undefined> {
    return (await this.getVersioned(key))?.body
  }

  getVersioned(key: string): Promise<Stored | undefined> {
    return this.#explainErrors(async () => {
      const location = this.#locate(key)
      const found = await retryTransient(() => this.#read(location.Key))
      return found && { ...found, body: unframe(found.body, `s3://${this.#bucket}/${location.Key}`) }
    })
  }

  async put(key: string, body: Buffer): Promise<Version> {
    const version = await this.#write(key, body, {})
    if (version === undefined) throw new VersionConflict(key)
    return version
  }

  putIfAbsent(key: string, body: Buffer): Promise<Version | undefined> {
    return this.#writeIf(key, body, { IfNoneMatch: '*' })
  }

  async putIfMatch(key: string, body: Buffer, version: Version): Promise<Version> {
    const written = await this.#writeIf(key, body, { IfMatch: version })
    if (written === undefined) throw new VersionConflict(key)
    return written
  }

  list(prefix: string, { after, limit = PAGE_OBJECTS }: ListOptions = {}): Promise<Page> {
    return this.#explainErrors(async () => {
      const { keys, isLast } = await this.#listKeys(prefix, after, limit)
      const objects = keys
        .map(({ key, bytes }) => ({ key: this.#withoutPrefix(key), bytes: Math.max(0, bytes - HEADER_BYTES) }))
        .filter(({ key }) => isKey(key))
      const last = keys.at(-1)
      return { objects, next: isLast || last === undefined ? undefined : this.#withoutPrefix(last.key) }
    })
  }

  delete(key: string): Promise<void> {
    return this.#explainErrors(async () => {
      const location = this.#locate(key)
      await retryTransient(() => this.#client.send(new DeleteObjectCommand(location)))
    })
  }

  deletePrefix(prefix: string): Promise<void> {
    return this.#explainErrors(async () => {
      assertFolderPrefix(prefix)
      for (let after: string | undefined; ;) {
        const { keys, isLast } = await this.#listKeys(prefix, after, PAGE_OBJECTS)
        const last = keys.at(-1)
        if (last !== undefined) await this.#deleteAll(keys.map(({ key }) => key))
        if (isLast || last === undefined) return
        after = this.#withoutPrefix(last.key)
      }
    })
  }

  async close(): Promise<void> {
    this.#client.destroy()
  }

  /** Writes conditionally. Before the first success with a store other than AWS counts, a probe checks that it honours conditions. */
  async #writeIf(key: string, body: Buffer, condition: Condition): Promise<Version | undefined> {
    const version = await this.#write(key, body, condition)
    if (version === undefined || this.#client.config.isCustomEndpoint !== true) return version
    this.#probed ??= assertHonoursConditions(this.#client, this.#bucket, this.#prefix)
    await this.#explainErrors(() => this.#probed ?? Promise.resolve())
    return version
  }

  #write(key: string, body: Buffer, condition: Condition): Promise<Version | undefined> {
    return this.#explainErrors(() => {
      const { Bucket, Key } = this.#locate(key)
      return writeConditionally({ client: this.#client, bucket: Bucket, key: Key, condition }, body)
    })
  }

  async #read(key: string): Promise<Stored | undefined> {
    try {
      const { Body, ETag } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }))
      // Reads the whole body here, so that an interrupted response is retried.
      const body = Buffer.from((await Body?.transformToByteArray()) ?? [])
      return { body, version: etagVersion(ETag, key) }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  #listKeys(prefix: string, after: string | undefined, limit: number): Promise<KeyPage> {
    const from = after === undefined ? undefined : this.#prefix + after
    return listKeys({ client: this.#client, bucket: this.#bucket, prefix: this.#prefix + prefix, after: from, limit })
  }

  async #deleteAll(keys: readonly string[]): Promise<void> {
    const Delete = { Objects: keys.map(Key => ({ Key })), Quiet: true }
    const { Errors = [] } = await retryTransient(() =>
      this.#client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete })),
    )
    const [first] = Errors
    if (first === undefined) return
    const code = first.Code === 'AccessDenied' ? 'storage_denied' : 'storage_failed'
    const message = `${this.description}: ${Errors.length} objects were not deleted, the first with error ${first.Code}`
    throw new IngestError(code, message, { hint: 'grant s3:DeleteObject on the prefix' })
  }

  #locate(key: string): { readonly Bucket: string; readonly Key: string } {
    assertKey(key)
    return { Bucket: this.#bucket, Key: this.#prefix + key }
  }

  #withoutPrefix(key: string): string {
    return key.slice(this.#prefix.length)
  }

  async #explainErrors<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await operation()
    } catch (error) {
      throw s3Error(this.description, error)
    }
  }
}
