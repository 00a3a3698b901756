/** Reads and writes objects in buckets. A write fails with its bucket; a read falls back to the bucket `rescue`. */

import { IngestError } from '../errors.js'
import { parseStorageAddress } from '../storage/address.js'
import { openBucketStorage } from '../storage/open-storage.js'
import { type BucketStorage, assertKey, isKey } from '../storage/storage.js'
import { assertBucket, RESCUE } from './buckets.js'
import { noteSuccess } from './health.js'
import type { Journal } from './journal.js'
import { BUCKETS } from './keys.js'
import { readRegistry } from './registry.js'
import type { State } from './state.js'

export type ReadObject = {
  readonly body: Buffer
  /** The requested bucket. */
  readonly asked: string
  /** The bucket that held the object: `asked` or `rescue`. */
  readonly answered: string
  readonly rescued: boolean
}

/**
 * Writes an object. A failure of the bucket is recorded in the journal.
 * @throws {IngestError} `not_found`, `usage`, `storage_failed`, `storage_denied`
 */
export async function putObject(state: State, { bucket, key, journal }: ObjectName, body: Buffer): Promise<void> {
  assertObjectKey(key)
  await withBucket(state, bucket, async objects => {
    await journalFailure(journal, { bucket, operation: 'put' }, () => objects.put(key, body))
    await noteSuccess(state, 'bucket', bucket)
  })
}

export type ObjectName = { readonly bucket: string; readonly key: string; readonly journal: Journal }

/**
 * Reads an object from its bucket, or from `rescue` when the bucket fails or lacks the object.
 * @param maxBytes objects that have more bytes are not read
 * @throws {IngestError} `not_found` when neither bucket has the object, `usage` when it is too large. When the bucket failed and
 * `rescue` lacks the object, the bucket's own failure is thrown.
 */
export async function getObject(
  state: State,
  { bucket, key, journal }: ObjectName,
  maxBytes = Infinity,
): Promise<ReadObject> {
  assertObjectKey(key)
  const read = (name: string): Promise<Buffer | undefined> =>
    withBucket(state, name, async objects => {
      const bytes = await journalFailure(journal, { bucket: name, operation: 'get' }, () =>
        maxBytes === Infinity ? Promise.resolve(0) : objectBytes(objects, key),
      )
      if (bytes > maxBytes) throw tooLargeError(key, bytes, maxBytes)
      return journalFailure(journal, { bucket: name, operation: 'get' }, () => objects.get(key))
    })
  let failure: IngestError | undefined
  const body = await read(bucket).catch((error: unknown) => {
    if (!(error instanceof IngestError) || error.code === 'not_found' || error.code === 'usage') throw error
    failure = error
    return undefined
  })
  if (body !== undefined) return { body, asked: bucket, answered: bucket, rescued: false }
  const rescued = bucket === RESCUE ? undefined : await read(RESCUE)
  if (rescued !== undefined) return { body: rescued, asked: bucket, answered: RESCUE, rescued: true }
  throw failure ?? new IngestError('not_found', `there is no object ${key} in the bucket ${bucket}, nor in ${RESCUE}`)
}

/** The size of an object; 0 if there is none. */
async function objectBytes(objects: BucketStorage, key: string): Promise<number> {
  // No other key that begins with this one sorts before it.
  const [first] = (await objects.list(key, { limit: 1 })).objects
  return first?.key === key ? first.bytes : 0
}

function tooLargeError(key: string, bytes: number, maxBytes: number): IngestError {
  const message = `the object ${key} has ${bytes} bytes, which exceeds the limit of ${maxBytes}`
  return new IngestError('usage', message, { hint: 'read it with `vortex-ingest buckets get`' })
}

/** Opens a bucket. The caller closes the returned storage. @throws {IngestError} `not_found` */
export async function openBucket(state: State, name: string): Promise<BucketStorage> {
  const registry = await readRegistry(state.storage)
  assertBucket(registry, name)
  const { root } = registry.buckets.get(name) ?? {}
  if (root === undefined) return openBucketInState(state, name)
  const address = parseStorageAddress(root)
  if (address.kind === 'memory') return openSharedMemory(`${state.storage.description} ${name}`)
  return openBucketStorage(address, { mustExist: true })
}

const memoryBuckets = new Map<string, Promise<BucketStorage>>()

/** Memory buckets live as long as the process, so that a later request finds what an earlier one wrote. */
function openSharedMemory(name: string): Promise<BucketStorage> {
  const opened = memoryBuckets.get(name) ?? openBucketStorage({ kind: 'memory' })
  memoryBuckets.set(name, opened)
  return opened
}

async function withBucket<T>(state: State, name: string, work: (objects: BucketStorage) => Promise<T>): Promise<T> {
  const objects = await openBucket(state, name)
  try {
    return await work(objects)
  } finally {
    await objects.close()
  }
}

/** A built-in bucket. Closing it leaves the state's storage open, because the state owns that storage. */
function openBucketInState({ storage }: State, name: string): BucketStorage {
  const keyInState = (key: string): string => `${BUCKETS}${name}/${key}`
  return {
    description: `the bucket ${name} in ${storage.description}`,
    get: key => storage.get(keyInState(key)),
    put: async (key, body) => void (await storage.put(keyInState(key), body)),
    list: async (prefix, { after, limit } = {}) => {
      const from = after === undefined ? undefined : keyInState(after)
      const { objects, next } = await storage.list(keyInState(prefix), { after: from, limit })
      const keyInBucket = (key: string): string => key.slice(keyInState('').length)
      return {
        objects: objects.map(({ key, bytes }) => ({ key: keyInBucket(key), bytes })),
        next: next === undefined ? undefined : keyInBucket(next),
      }
    },
    close: () => Promise.resolve(),
  }
}

type Operation = { readonly bucket: string; readonly operation: string }

async function journalFailure<T>(
  journal: Journal,
  { bucket, operation }: Operation,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    journal.record({ subject: 'bucket', name: bucket, operation, error })
    throw error
  }
}

/**
 * Refuses keys that would leave their bucket, also after percent-decoding and with backslashes read as slashes.
 * @throws {IngestError} `usage`
 */
export function assertObjectKey(key: string): void {
  for (const decoded of decodings(key)) if (!isKey(decoded.replace(/\\/g, '/'))) throw escapesBucketError(key)
  assertKey(key)
}

/** The key and each result of percent-decoding it once more, until nothing is left to decode. */
function decodings(key: string): readonly string[] {
  const results = [key]
  for (let last = key; /%[0-9a-f]{2}/i.test(last); results.push(last)) {
    const decoded = last.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))
    last = decoded
  }
  return results
}

function escapesBucketError(key: string): IngestError {
  const shown = JSON.stringify(key.slice(0, 100))
  const hint = 'separate the parts of a key with /; no part may be empty, "." or ".."'
  return new IngestError('usage', `${shown} is not a valid key: it would leave its bucket`, { hint })
}
