/** Objects in buckets. Writes go to their bucket or fail; what a bucket cannot answer, rescue is asked for. */

import { IngestError } from '../errors.js'
import { parseStorageAddress } from '../storage/address.js'
import { openBucketStorage } from '../storage/open-bucket-storage.js'
import type { BucketStorage } from '../storage/bucket-storage.js'
import { assertKey, isKey } from '../storage/storage.js'
import { assertBucket, RESCUE } from './buckets.js'
import { noteSuccess } from './health.js'
import type { Journal } from './journal.js'
import { BUCKETS } from './keys.js'
import { readRegistry } from './registry.js'
import type { State } from './state.js'

export type ReadObject = {
  readonly body: Buffer
  /** The bucket that was asked. */
  readonly asked: string
  /** The one that answered. */
  readonly answered: string
  readonly rescued: boolean
}

/** What a bucket fails with becomes an event. @throws {IngestError} `not_found`, `usage`, `storage_failed`, `storage_denied` */
export async function putObject(state: State, { bucket, key, journal }: ObjectName, body: Buffer): Promise<void> {
  assertObjectKey(key)
  await withBucket(state, bucket, async objects => {
    await journalFailure(journal, { bucket, operation: 'put' }, () => objects.put(key, body))
    await noteSuccess(state, 'bucket', bucket)
  })
}

export type ObjectName = { readonly bucket: string; readonly key: string; readonly journal: Journal }

/** @throws {IngestError} `not_found` when neither has it; the bucket's own failure when it failed and rescue misses it */
export async function getObject(state: State, { bucket, key, journal }: ObjectName): Promise<ReadObject> {
  assertObjectKey(key)
  const from = (name: string): Promise<Buffer | undefined> =>
    withBucket(state, name, objects =>
      journalFailure(journal, { bucket: name, operation: 'get' }, () => objects.get(key)),
    )
  let failure: IngestError | undefined
  const body = await from(bucket).catch((error: unknown) => {
    if (!(error instanceof IngestError) || error.code === 'not_found') throw error
    failure = error
    return undefined
  })
  if (body !== undefined) return { body, asked: bucket, answered: bucket, rescued: false }
  const rescued = bucket === RESCUE ? undefined : await from(RESCUE)
  if (rescued !== undefined) return { body: rescued, asked: bucket, answered: RESCUE, rescued: true }
  throw failure ?? new IngestError('not_found', `there is no object ${key} in the bucket ${bucket}, nor in ${RESCUE}`)
}

/** The caller closes what it gets. @throws {IngestError} `not_found` */
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

/** What one request puts there the next one finds; nobody closes it. */
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

/** The state's storage stays open: it is not the bucket's. */
function openBucketInState({ storage }: State, name: string): BucketStorage {
  const place = (key: string): string => `${BUCKETS}${name}/${key}`
  return {
    description: `the bucket ${name} in ${storage.description}`,
    get: key => storage.get(place(key)),
    put: async (key, body) => void (await storage.put(place(key), body)),
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
    journal.record({ sort: 'bucket', name: bucket, operation, error })
    throw error
  }
}

/** Also of what somebody decodes once more, or reads as Windows does. @throws {IngestError} `usage` */
export function assertObjectKey(key: string): void {
  for (const reading of decodings(key)) if (!isKey(reading.replace(/\\/g, '/'))) throw escapesBucketError(key)
  assertKey(key)
}

function decodings(key: string): readonly string[] {
  const readings = [key]
  for (let last = key; /%[0-9a-f]{2}/i.test(last); readings.push(last)) {
    const decoded = last.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))
    last = decoded
  }
  return readings
}

function escapesBucketError(key: string): IngestError {
  const shown = JSON.stringify(key.slice(0, 100))
  const hint = 'a key is made of names with / between them; none is empty, "." or ".."'
  return new IngestError('usage', `${shown} cannot be a key: it would lead out of its bucket`, { hint })
}
