/**
 * Where records go and where objects lie, under names that people give. One object, so that a rule over targets and
 * buckets holds whoever changes them at the same time.
 */

import { IngestError } from '../errors.js'
import type { Storage } from '../storage/storage.js'
import { retryOnConflict } from './retry-on-conflict.js'
import { corruptStateError } from './state-errors.js'
import { readDocument, writeDocument } from './document.js'
import type { Fields } from './fields.js'
import { REGISTRY_KEY } from './keys.js'
import type { State } from './state.js'

export const TARGET_KINDS = ['http', 'postgres', 'embedded', 'archive'] as const
export type TargetKind = (typeof TARGET_KINDS)[number]

export type RegisteredTarget = {
  readonly name: string
  readonly kind: TargetKind
  /** A URL, DSN or folder, without secrets; of an archive its bucket. */
  readonly address: string
  /** What the rest of state calls it (`SinkOpener.id`): watermarks hang on the place, not on the name. */
  readonly identity: string
  /** The variable that holds its token or password. */
  readonly secretEnv: string | undefined
  /** Whether its failure is the failure of a push. */
  readonly isRequired: boolean
  /** Archives write to one. */
  readonly bucket: string | undefined
  /** Of a database on this machine: neither TLS nor a certain role. */
  readonly insecureLocal: boolean
  readonly rolePolicy: string | undefined
  readonly region: string | undefined
  /** RFC 3339. */
  readonly addedAt: string
}

export type RegisteredBucket = {
  readonly name: string
  /** As `parseStorageAddress` reads it. */
  readonly root: string
  readonly addedAt: string
}

export type Registry = {
  readonly targets: ReadonlyMap<string, RegisteredTarget>
  readonly buckets: ReadonlyMap<string, RegisteredBucket>
}

const EMPTY: Registry = { targets: new Map(), buckets: new Map() }

/** What the rest of state and every report call it. */
export function reportedKind(kind: TargetKind): 'server' | Exclude<TargetKind, 'http'> {
  return kind === 'http' ? 'server' : kind
}

/** @throws {IngestError} `state_corrupt`, `state_version` */
export async function readRegistry(storage: Storage): Promise<Registry> {
  return (await readDocument(storage, REGISTRY_KEY, parseRegistry))?.value ?? EMPTY
}

/**
 * Changes it as if nobody else did at the same time.
 * @param change throws what is against the rules; asked again when another process was faster
 */
export async function changeRegistry(
  state: State,
  change: (registry: Registry) => Registry | Promise<Registry>,
): Promise<Registry> {
  const { storage } = state
  return retryOnConflict(state, async () => {
    const found = await readDocument(storage, REGISTRY_KEY, parseRegistry)
    const before = found?.value ?? EMPTY
    const after = await change(before)
    if (after !== before)
      await writeDocument(storage, REGISTRY_KEY, { fields: registryFields(after), over: found?.stored })
    return after
  })
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/

/** @param sort what is to be called so @throws {IngestError} `usage` */
export function assertName(name: string, sort: 'target' | 'bucket'): void {
  if (NAME.test(name)) return
  const hint = 'up to 63 lower-case letters, digits, - and _, the first a letter or a digit'
  throw new IngestError('usage', `a ${sort} cannot be called ${JSON.stringify(name.slice(0, 80))}`, { hint })
}

/** A map with one entry more, less or another. */
export function withEntry<T>(map: ReadonlyMap<string, T>, name: string, value: T | undefined): ReadonlyMap<string, T> {
  const copy = new Map(map)
  if (value === undefined) copy.delete(name)
  else copy.set(name, value)
  return copy
}

function registryFields({ targets, buckets }: Registry): object {
  return { targets: Object.fromEntries(targets), buckets: Object.fromEntries(buckets) }
}

function parseRegistry(fields: Fields): Registry {
  return { targets: fields.map('targets', parseTarget), buckets: fields.map('buckets', parseBucket) }
}

function parseTarget(fields: Fields): RegisteredTarget {
  const text = (name: string): string => fields.text(name)
  return {
    name: parseName(fields),
    kind: fields.word('kind', TARGET_KINDS),
    address: fields.text('address'),
    identity: fields.text('identity'),
    secretEnv: fields.optional('secretEnv', text),
    isRequired: fields.flag('isRequired'),
    bucket: fields.optional('bucket', text),
    insecureLocal: fields.flag('insecureLocal'),
    rolePolicy: fields.optional('rolePolicy', text),
    region: fields.optional('region', text),
    addedAt: fields.text('addedAt'),
  }
}

function parseBucket(fields: Fields): RegisteredBucket {
  return { name: parseName(fields), root: fields.text('root'), addedAt: fields.text('addedAt') }
}

/** Names are printed, and typed by a shell that completes them. */
function parseName(fields: Fields): string {
  const name = fields.text('name')
  if (NAME.test(name)) return name
  throw corruptStateError(fields.where, 'name is none that can be given')
}
