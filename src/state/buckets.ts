/** Buckets: named object storage. Every state has two built-in buckets; operators register others. */

import { mkdir, realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { IngestError, messageOf } from '../errors.js'
import { parseStorageAddress } from '../storage/address.js'
import {
  assertName,
  changeRegistry,
  readRegistry,
  withEntry,
  type RegisteredBucket,
  type Registry,
} from './registry.js'
import { timestamp, type State } from './state.js'

/** Stored inside the state. `rescue` answers reads that another bucket cannot. */
export const BUILT_IN: readonly string[] = ['primary', 'rescue']
export const RESCUE = 'rescue'

export type Bucket = {
  readonly name: string
  readonly backend: 'state' | 'local' | 's3' | 'memory'
  /** A folder, `s3://…` or `memory:`; for a built-in bucket the location of the state. */
  readonly root: string
  readonly isBuiltIn: boolean
  /** Names of the targets that write to the bucket. */
  readonly usedBy: readonly string[]
}

export function isBucket({ buckets }: Registry, name: string): boolean {
  return BUILT_IN.includes(name) || buckets.has(name)
}

export async function listBuckets({ storage }: State): Promise<readonly Bucket[]> {
  const registry = await readRegistry(storage)
  const builtIn = BUILT_IN.map(name => ({
    ...{ name, backend: 'state' as const, root: storage.description, isBuiltIn: true },
    usedBy: targetsUsing(registry, name),
  }))
  const added = [...registry.buckets.values()].map(({ name, root }) => ({
    ...{ name, backend: parseStorageAddress(root).kind, root, isBuiltIn: false },
    usedBy: targetsUsing(registry, name),
  }))
  return [...builtIn, ...added.sort((left, right) => (left.name < right.name ? -1 : 1))]
}

/**
 * Registers a bucket and creates its folder.
 * @param root a folder, `s3://bucket/prefix` or `memory:`
 * @throws {IngestError} `usage` for an invalid root, `already_exists`, `storage_failed`
 */
export async function addBucket(state: State, name: string, root: string): Promise<RegisteredBucket> {
  assertName(name, 'bucket')
  const resolved = await resolveRoot(state, root)
  const added = { name, root: resolved, addedAt: timestamp(state) }
  // Checked first, so that a taken name creates no folder.
  assertFree(await readRegistry(state.storage), name)
  if (parseStorageAddress(resolved).kind === 'local') await makeFolder(resolved)
  await changeRegistry(state, registry => {
    assertFree(registry, name)
    return { ...registry, buckets: withEntry(registry.buckets, name, added) }
  })
  return added
}

/**
 * A root as it is registered: folders become absolute, so that the working directory of later commands does not matter.
 * @throws {IngestError} `usage` when the root overlaps the state
 */
async function resolveRoot({ storage }: State, root: string): Promise<string> {
  if (root.trim() === '') throw new IngestError('usage', 'missing root for the bucket', { hint: HINT })
  const address = parseStorageAddress(root)
  if (address.kind === 'memory') return root
  const resolved = address.kind === 'local' ? resolve(address.folder) : root
  const locations = [storage.description, resolved.split('?')[0] ?? '']
  const real = await Promise.all(locations.map(resolveLinks))
  const [stateRoot, bucketRoot] = real.map(text => `${text.replace(/\/+$/, '')}/`)
  if (stateRoot!.startsWith(bucketRoot!) || bucketRoot!.startsWith(stateRoot!)) {
    const hint = 'choose another root; only primary and rescue are stored in the state'
    throw new IngestError('usage', `${resolved} overlaps the location of the state`, { hint })
  }
  return resolved
}

/** Resolves symbolic links in a folder's path, also when only some of its parents exist. */
async function resolveLinks(folder: string): Promise<string> {
  if (!isAbsolute(folder)) return folder
  const real = await realpath(folder).catch(() => undefined)
  if (real !== undefined || dirname(folder) === folder) return real ?? folder
  return join(await resolveLinks(dirname(folder)), basename(folder))
}

const HINT = 'name a folder, s3://BUCKET/PREFIX[?region=…&endpoint=…&path-style=true], or memory:'

function assertFree(registry: Registry, name: string): void {
  if (isBucket(registry, name)) throw new IngestError('already_exists', `the bucket ${name} already exists`)
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    throw new IngestError('storage_failed', `cannot make the folder ${folder}: ${messageOf(cause)}`, { cause })
  }
}

/** Unregisters a bucket. Its objects are not deleted. @throws {IngestError} `protected`, `not_found`, `in_use` */
export async function removeBucket(state: State, name: string): Promise<void> {
  if (BUILT_IN.includes(name)) throw new IngestError('protected', `the bucket ${name} cannot be removed`)
  await changeRegistry(state, registry => {
    assertBucket(registry, name)
    const users = targetsUsing(registry, name)
    if (users.length > 0) throw inUseError(name, users)
    return { ...registry, buckets: withEntry(registry.buckets, name, undefined) }
  })
}

/** @throws {IngestError} `not_found` */
export function assertBucket(registry: Registry, name: string): void {
  if (isBucket(registry, name)) return
  const hint = 'vortex-ingest buckets ls lists the buckets'
  throw new IngestError('not_found', `there is no bucket ${name}`, { hint })
}

function targetsUsing({ targets }: Registry, bucket: string): readonly string[] {
  return [...targets.values()].filter(target => target.bucket === bucket).map(({ name }) => name)
}

function inUseError(name: string, users: readonly string[]): IngestError {
  const hint = 'first remove the targets that use it: vortex-ingest targets rm'
  return new IngestError('in_use', `the bucket ${name} is in use by ${users.join(', ')}`, { hint })
}
