/**
 * The registry: targets and buckets under names that operators choose. It is one object, so that rules over both hold
 * under concurrent changes.
 */

import { IngestError } from '../errors.js'
import type { Storage } from '../storage/storage.js'
import { retryOnConflict, readDocument, writeDocument } from './document.js'
import { corruptStateError, type Fields } from './fields.js'
import { REGISTRY_KEY } from './keys.js'
import type { State } from './state.js'

export type RegisteredTarget = {
  readonly name: string
  /** The target kind, such as `server`. */
  readonly kind: string
  /** URL, DSN or folder without secrets; for an archive the name of its bucket. */
  readonly address: string
  /** The target id (`SinkOpener.id`). Watermarks are keyed by this id and not by the name. */
  readonly identity: string
  /** Environment variable that holds the token or password. */
  readonly secretEnv: string | undefined
  /** Whether a failure of this target fails the push. */
  readonly isRequired: boolean
  /** Bucket that an archive writes to; undefined for other kinds. */
  readonly bucket: string | undefined
  /** For a database on this machine: allows connections without TLS and any role. */
  readonly insecureLocal: boolean
  readonly rolePolicy: string | undefined
  readonly region: string | undefined
  /** Further options of the kind as text, by option name. */
  readonly options?: Readonly<Record<string, string>> | undefined
  /** RFC 3339. */
  readonly addedAt: string
}

export type RegisteredBucket = {
  readonly name: string
  /** Storage address, see `parseStorageAddress`. */
  readonly root: string
  readonly addedAt: string
}

export type Registry = {
  readonly targets: ReadonlyMap<string, RegisteredTarget>
  readonly buckets: ReadonlyMap<string, RegisteredBucket>
}

const EMPTY: Registry = { targets: new Map(), buckets: new Map() }

/** @throws {IngestError} `state_corrupt`, `state_version` */
export async function readRegistry(storage: Storage): Promise<Registry> {
  return (await readDocument(storage, REGISTRY_KEY, parseRegistry))?.value ?? EMPTY
}

/**
 * Changes the registry by compare-and-swap.
 * @param change returns the new registry, or the same object for no change, and throws to refuse. It is called again when
 * another process wrote first.
 * @returns the new registry
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

/** Checks the name of a new target or bucket. @throws {IngestError} `usage` */
export function assertName(name: string, subject: 'target' | 'bucket'): void {
  if (NAME.test(name)) return
  const hint = 'use up to 63 lower-case letters, digits, - and _, starting with a letter or digit'
  throw new IngestError('usage', `invalid ${subject} name ${JSON.stringify(name.slice(0, 80))}`, { hint })
}

/** A copy of a map with one entry set, or removed when `value` is undefined. */
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
  const options = fields.optional('options', name => parseOptions(fields.fields(name)))
  return {
    name: parseName(fields),
    kind: parseKind(fields),
    address: fields.text('address'),
    identity: fields.text('identity'),
    secretEnv: fields.optional('secretEnv', text),
    isRequired: fields.flag('isRequired'),
    bucket: fields.optional('bucket', text),
    insecureLocal: fields.flag('insecureLocal'),
    rolePolicy: fields.optional('rolePolicy', text),
    region: fields.optional('region', text),
    ...(options !== undefined && { options }),
    addedAt: fields.text('addedAt'),
  }
}

function parseBucket(fields: Fields): RegisteredBucket {
  return { name: parseName(fields), root: fields.text('root'), addedAt: fields.text('addedAt') }
}

function parseOptions(fields: Fields): Readonly<Record<string, string>> {
  return Object.fromEntries(fields.names.map(name => [name, fields.text(name)]))
}

/** Earlier versions wrote `http` for the kind `server`. */
function parseKind(fields: Fields): string {
  const kind = fields.text('kind')
  return kind === 'http' ? 'server' : kind
}

/** Names are checked on reading too, because they are printed and completed by shells. */
function parseName(fields: Fields): string {
  const name = fields.text('name')
  if (NAME.test(name)) return name
  throw corruptStateError(fields.where, 'its name is not valid')
}
