/** Named places for objects: two that every state has, and others that an operator adds. */

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

/** Below the state's own objects. `rescue` answers what other buckets cannot. */
export const BUILT_IN: readonly string[] = ['primary', 'rescue']
export const RESCUE = 'rescue'

export type Bucket = {
  readonly name: string
  readonly backend: 'state' | 'local' | 's3' | 'memory'
  /** Where it is, in words. */
  readonly root: string
  readonly isBuiltIn: boolean
  /** The targets that write to it. */
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
  return [...builtIn, ...added.sort((one, other) => (one.name < other.name ? -1 : 1))]
}

/**
 * @param root a folder, which is made, `s3://bucket/prefix` or `memory:`
 * @throws {IngestError} `usage` for an empty root or one that cannot be, `already_exists`, `storage_failed`
 */
export async function addBucket(state: State, name: string, root: string): Promise<RegisteredBucket> {
  assertName(name, 'bucket')
  const place = await resolveRoot(state, root)
  const added = { name, root: place, addedAt: timestamp(state) }
  // A name that is taken makes no folder.
  assertFree(await readRegistry(state.storage), name)
  if (parseStorageAddress(place).kind === 'local') await makeFolder(place)
  await changeRegistry(state, registry => {
    assertFree(registry, name)
    return { ...registry, buckets: withEntry(registry.buckets, name, added) }
  })
  return added
}

/** The same for every process, wherever it runs. */
async function resolveRoot({ storage }: State, root: string): Promise<string> {
  if (root.trim() === '') throw new IngestError('usage', 'a bucket needs a root', { hint: HINT })
  const address = parseStorageAddress(root)
  if (address.kind === 'memory') return root
  const place = address.kind === 'local' ? resolve(address.folder) : root
  const places = [storage.description, place.split('?')[0] ?? '']
  const real = await Promise.all(places.map(resolveLinks))
  const [one, other] = real.map(text => `${text.replace(/\/+$/, '')}/`)
  if (one!.startsWith(other!) || other!.startsWith(one!)) {
    const hint = 'give it a place of its own; primary and rescue lie in the state'
    throw new IngestError('usage', `${place} and the state are the same place, or one lies in the other`, { hint })
  }
  return place
}

/** Where a folder, or the first one above it that is there, leads through links. */
async function resolveLinks(folder: string): Promise<string> {
  if (!isAbsolute(folder)) return folder
  const real = await realpath(folder).catch(() => undefined)
  if (real !== undefined || dirname(folder) === folder) return real ?? folder
  return join(await resolveLinks(dirname(folder)), basename(folder))
}

const HINT = 'name a folder, s3://BUCKET/PREFIX[?region=…&endpoint=…&path-style=true], or memory:'

function assertFree(registry: Registry, name: string): void {
  if (isBucket(registry, name)) throw new IngestError('already_exists', `there is a bucket ${name} already`)
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    throw new IngestError('storage_failed', `cannot make the folder ${folder}: ${messageOf(cause)}`, { cause })
  }
}

/** The objects stay where they are. @throws {IngestError} `protected`, `not_found`, `in_use` */
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
  const hint = 'vortex-ingest buckets ls shows those that there are'
  throw new IngestError('not_found', `there is no bucket ${name}`, { hint })
}

function targetsUsing({ targets }: Registry, bucket: string): readonly string[] {
  return [...targets.values()].filter(target => target.bucket === bucket).map(({ name }) => name)
}

function inUseError(name: string, users: readonly string[]): IngestError {
  const hint = 'remove what uses it first: vortex-ingest targets rm'
  return new IngestError('in_use', `the bucket ${name} is in use by ${users.join(', ')}`, { hint })
}
