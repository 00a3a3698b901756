/** Operations on registered targets: add, remove, require. */

import { IngestError } from '../errors.js'
import { audit } from './audit.js'
import { isBucket } from './buckets.js'
import {
  assertName,
  changeRegistry,
  readRegistry,
  withEntry,
  type RegisteredTarget,
  type Registry,
} from './registry.js'
import { timestamp, type State } from './state.js'
import { forgetTarget, knownTargets } from './target-record.js'
import { newId } from './keys.js'

/** Registers a target. @throws {IngestError} `usage` for the name, `already_exists`, `not_found` for its bucket */
export async function addTarget(state: State, target: Omit<RegisteredTarget, 'addedAt'>): Promise<RegisteredTarget> {
  assertName(target.name, 'target')
  const added = { ...target, addedAt: timestamp(state) }
  await changeRegistry(state, registry => {
    assertNew(registry, added)
    return { ...registry, targets: withEntry(registry.targets, added.name, added) }
  })
  return added
}

function assertNew(registry: Registry, { name, identity, bucket }: RegisteredTarget): void {
  const { targets } = registry
  if (targets.has(name)) throw new IngestError('already_exists', `the target ${name} already exists`)
  const existing = [...targets.values()].find(target => target.identity === identity)
  // Two names for one target id would share watermarks but could differ in whether they are required.
  if (existing !== undefined)
    throw new IngestError('already_exists', `${identity} is already registered as the target ${existing.name}`)
  if (bucket !== undefined && !isBucket(registry, bucket)) throw noBucketError(bucket)
}

function noBucketError(name: string): IngestError {
  return new IngestError('not_found', `there is no bucket ${name}`, { hint: 'vortex-ingest buckets add creates one' })
}

/** The registered target of that name. @throws {IngestError} `not_found` */
export function requireTarget({ targets }: Registry, name: string): RegisteredTarget {
  const target = targets.get(name)
  if (target !== undefined) return target
  const hint = 'vortex-ingest targets ls lists the targets'
  throw new IngestError('not_found', `there is no target ${name}`, { hint })
}

/**
 * Removes a target, so that nothing is queued for it any more. The next command that recovers discards its intents.
 * @param name the name of a registered target, or the id of a target that only flags named
 * @returns the target id
 * @throws {IngestError} `not_found`
 */
export async function removeTarget(state: State, name: string): Promise<string> {
  const registered = (await readRegistry(state.storage)).targets.get(name)
  const identity = registered?.identity ?? (await findUnregistered(state, name))
  if (registered !== undefined)
    await changeRegistry(state, registry => {
      requireTarget(registry, name)
      return { ...registry, targets: withEntry(registry.targets, name, undefined) }
    })
  await forgetTarget(state, identity)
  return identity
}

async function findUnregistered(state: State, name: string): Promise<string> {
  const registry = await readRegistry(state.storage)
  const identities = [...registry.targets.values()].map(({ identity }) => identity)
  const known = await knownTargets(state.storage)
  const found = known.find(record => record.id === name && !identities.includes(record.id))
  return found?.id ?? requireTarget(registry, name).identity
}

/**
 * Makes a target required or best-effort. A failure of a required target fails the push. Writes an audit row.
 * @returns whether anything changed
 * @throws {IngestError} `not_found`
 */
export async function setRequired(state: State, name: string, isRequired: boolean): Promise<boolean> {
  const id = newId(state.tools.now())
  let isChanged = false
  await changeRegistry(state, async registry => {
    const target = requireTarget(registry, name)
    isChanged = target.isRequired !== isRequired
    if (!isChanged) return registry
    // Written before the change, because a spare row is better than a change without one.
    await auditRequired(state, { ...target, isRequired }, id)
    return { ...registry, targets: withEntry(registry.targets, name, { ...target, isRequired }) }
  })
  return isChanged
}

async function auditRequired(state: State, target: RegisteredTarget, id: string): Promise<void> {
  const [event, before] = target.isRequired ? ['required', 'best effort'] : ['best-effort', 'required']
  const detail = `${target.name} was ${before} before`
  await audit(state, { id, event, target: target.identity, partition: '', since: 0, until: 0, detail })
}
