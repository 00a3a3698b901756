/** What an operator does with registered targets. */

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
import { newId } from './ulid.js'

/** @throws {IngestError} `usage` for the name, `already_exists`, `not_found` when its bucket is unknown */
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
  if (targets.has(name)) throw new IngestError('already_exists', `there is a target ${name} already`)
  const same = [...targets.values()].find(target => target.identity === identity)
  // Two would be one to the rest of state, required and not required.
  if (same !== undefined) throw new IngestError('already_exists', `${identity} is the target ${same.name} already`)
  if (bucket !== undefined && !isBucket(registry, bucket)) throw noBucketError(bucket)
}

function noBucketError(name: string): IngestError {
  return new IngestError('not_found', `there is no bucket ${name}`, { hint: 'vortex-ingest buckets add makes one' })
}

/** @throws {IngestError} `not_found` */
export function requireTarget({ targets }: Registry, name: string): RegisteredTarget {
  const target = targets.get(name)
  if (target !== undefined) return target
  const hint = 'vortex-ingest targets ls shows those that there are'
  throw new IngestError('not_found', `there is no target ${name}`, { hint })
}

/**
 * Nothing is kept for it any more. What was begun for it is discarded by the next command that heals.
 * @param name a registered one's, or what state calls one that only flags named
 * @returns what state called it
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
  const found = known.find(record => record.name === name && !identities.includes(record.name))
  return found?.name ?? requireTarget(registry, name).identity
}

/**
 * Says whose failure is the failure of a push: the cutover to a new path, and the way back.
 * @returns whether that was news
 * @throws {IngestError} `not_found`
 */
export async function setRequired(state: State, name: string, isRequired: boolean): Promise<boolean> {
  const id = newId(state.tools.now())
  let isChanged = false
  await changeRegistry(state, async registry => {
    const target = requireTarget(registry, name)
    isChanged = target.isRequired !== isRequired
    if (!isChanged) return registry
    // Told before it is done: rather a row too many than a cutover that nobody finds.
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
