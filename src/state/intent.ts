/** Intents: write-ahead notes of deliveries. Written before a delivery starts, deleted after its watermark moved. */

import { listAll, type Storage } from '../storage/storage.js'
import { parseDocument, readDocument, writeDocument } from './document.js'
import type { Fields } from './fields.js'
import { intentKey, INTENTS, newId } from './keys.js'
import { type HeldLease, isOwnerGone } from './lease.js'
import { parseOwner, type Owner, timestamp, type State } from './state.js'
import type { TargetPartition } from './watermark.js'
import { audit, type AuditRow } from './audit.js'
import { knownTargets } from './target-record.js'

/** The sequence numbers after `since`, up to and including `until`. A retry delivers exactly the same range. */
export type Range = { readonly since: number; readonly until: number }

export type Intent = TargetPartition &
  Range & {
    /** Also the id of the delivery; a retry uses the same id. */
    readonly id: string
    readonly owner: Owner
    /** Fencing token of the lease under which the intent was written. */
    readonly fencingToken: number
    readonly at: string
  }

/** Stores an intent for a range, before the delivery of that range starts. */
export async function putIntent(state: State, lease: HeldLease, range: Range): Promise<Intent> {
  const { targetPartition, fencingToken } = lease
  const intent: Intent = {
    id: newId(state.tools.now()),
    ...targetPartition,
    ...range,
    owner: state.owner,
    fencingToken,
    at: timestamp(state),
  }
  await writeDocument(state.storage, intentKey(intent.id), { fields: storedFields(intent), over: undefined })
  return intent
}

/** The stored document. Its field for the fencing token is called `fence`. */
function storedFields({ fencingToken, ...intent }: Intent): Readonly<Record<string, unknown>> {
  return { ...intent, fence: fencingToken }
}

export async function readIntent(storage: Storage, id: string): Promise<Intent | undefined> {
  return (await readDocument(storage, intentKey(id), parseIntent))?.value
}

export async function deleteIntent(storage: Storage, { id }: Intent): Promise<void> {
  await storage.delete(intentKey(id))
}

/** All intents, oldest first. @throws {IngestError} `state_corrupt`, `state_version` when one cannot be read */
export async function listIntents(storage: Storage): Promise<readonly Intent[]> {
  const intents: Intent[] = []
  for await (const { key } of listAll(storage, INTENTS)) {
    const body = await storage.get(key)
    // Deleted since the listing: the delivery is finished.
    if (body !== undefined) intents.push(parseDocument(body, { key, parse: parseIntent, storage }))
  }
  return intents
}

export function parseIntent(fields: Fields): Intent {
  return {
    id: fields.text('id'),
    target: fields.text('target'),
    partition: fields.text('partition'),
    since: fields.count('since'),
    until: fields.count('until'),
    owner: parseOwner(fields.fields('owner')),
    fencingToken: fields.count('fence'),
    at: fields.text('at'),
  }
}

/** Deletes intents whose target has been removed, each with an audit row. An intent whose owner may still be running is left alone. */
export async function discardOrphanedIntents(state: State, intents: readonly Intent[]): Promise<readonly AuditRow[]> {
  if (intents.length === 0) return []
  const known = new Set((await knownTargets(state.storage)).map(({ id }) => id))
  const discarded: AuditRow[] = []
  for (const intent of intents) {
    const { id, target, partition, since, until, owner, at } = intent
    if (known.has(target) || !(await isOwnerGone(state, owner, Date.parse(at) + state.tools.leaseMs))) continue
    const detail = 'its target was removed'
    discarded.push(await audit(state, { id, event: 'discarded', target, partition, since, until, detail }))
    await deleteIntent(state.storage, intent)
  }
  return discarded
}
