/** Records of the targets that were ever delivered to. Queued records stay until each of these targets has them. */

import { listAll, type Storage } from '../storage/storage.js'
import { encodeDocument, parseDocument, readDocument } from './document.js'
import type { Fields } from './fields.js'
import { targetKey, TARGETS } from './keys.js'
import { timestamp, type State } from './state.js'
import { readRegistry } from './registry.js'

export type TargetRecord = {
  /** The target id. */
  readonly id: string
  /** `server`, `postgres`, `embedded` or `archive`. */
  readonly kind: string
  /** For people, without secrets. */
  readonly description: string
  /** When the record was written, RFC 3339. */
  readonly since: string
}

/** Records a target unless it is recorded already, before anything is queued for it. @throws {IngestError} `state_corrupt`, `state_version` */
export async function recordTarget(state: State, target: Omit<TargetRecord, 'since'>): Promise<void> {
  const key = targetKey(target.id)
  // Most targets are recorded already, and a read costs less than a write that is refused.
  if ((await readDocument(state.storage, key, parseTargetRecord)) !== undefined) return
  await state.storage.putIfAbsent(key, encodeDocument(storedFields({ ...target, since: timestamp(state) })))
}

/** The stored document. Its field for the target id is called `name`. */
function storedFields({ id, kind, description, since }: TargetRecord): Readonly<Record<string, unknown>> {
  return { name: id, kind, description, since }
}

/** Deletes the record of a target, so that nothing is queued for it any more. */
export async function forgetTarget({ storage }: State, id: string): Promise<void> {
  await storage.delete(targetKey(id))
}

export async function knownTargets(storage: Storage): Promise<readonly TargetRecord[]> {
  const targets: TargetRecord[] = []
  for await (const { key } of listAll(storage, TARGETS)) {
    const body = await storage.get(key)
    if (body !== undefined) targets.push(parseDocument(body, { key, parse: parseTargetRecord, storage }))
  }
  return targets
}

export function parseTargetRecord(fields: Fields): TargetRecord {
  return {
    id: fields.text('name'),
    kind: fields.text('kind'),
    description: fields.text('description'),
    since: fields.text('since'),
  }
}

/**
 * Ids of all targets that block pruning: those with a record in state and all registered ones. A registered target may
 * have no record until the next push or drain, for example when it was removed and registered again.
 * @throws {IngestError} `state_corrupt`, `state_version`
 */
export async function targetsBlockingPruning(storage: Storage): Promise<ReadonlySet<string>> {
  const [known, { targets }] = await Promise.all([knownTargets(storage), readRegistry(storage)])
  return new Set([...known.map(({ id }) => id), ...[...targets.values()].map(({ identity }) => identity)])
}
