/** Orphaned intents: deliveries that were interrupted and whose target has since been removed. */

import { audit, type AuditRow } from './audit.js'
import { deleteIntent, type Intent } from './intent.js'
import { isOwnerGone } from './lease.js'
import type { State } from './state.js'
import { knownTargets } from './target-record.js'

/** Deletes orphaned intents, each with an audit row. An intent whose owner may still be running is left alone. */
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
