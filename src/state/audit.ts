/** The audit log: every change to state that is not an ordinary delivery. Rows are written once and never changed. */

import { listAll, type Storage } from '../storage/storage.js'
import { encodeDocument } from './document.js'
import type { Fields } from './fields.js'
import { AUDIT, auditKey } from './keys.js'
import { type State, timestamp } from './state.js'

export type AuditRow = {
  /** Unique per event, so that an event is logged once. A recovered or discarded intent lends the row its own id. */
  readonly id: string
  /** RFC 3339. */
  readonly at: string
  /** `recovered`, `discarded`, `pruned`, `rewound`, `promoted`, `rolled-back`, `required` or `best-effort`. */
  readonly event: string
  readonly target: string
  /** Empty when the event concerns a whole target. */
  readonly partition: string
  /** The sequence numbers after `since`, up to and including `until`. */
  readonly since: number
  readonly until: number
  /** A sentence for people. */
  readonly detail: string
}

/** Writes an audit row unless a row with the same id exists. Returns the row with the time of this call. */
export async function audit(state: State, row: Omit<AuditRow, 'at'>): Promise<AuditRow> {
  const dated = { ...row, at: timestamp(state) }
  await state.storage.putIfAbsent(auditKey(row.id), encodeDocument(dated))
  return dated
}

/** Keys of the last `limit` rows, newest first. */
export async function lastAuditKeys(storage: Storage, limit: number): Promise<readonly string[]> {
  let keys: string[] = []
  for await (const { key } of limit === 0 ? [] : listAll(storage, AUDIT)) keys = [...keys, key].slice(-limit)
  return keys.reverse()
}

export function parseAuditRow(fields: Fields): AuditRow {
  return {
    id: fields.text('id'),
    at: fields.text('at'),
    event: parseEvent(fields.text('event')),
    target: fields.text('target'),
    partition: fields.text('partition'),
    since: fields.count('since'),
    until: fields.count('until'),
    detail: fields.text('detail'),
  }
}

/** Earlier versions of the program called a recovered delivery `healed`. */
function parseEvent(event: string): string {
  return event === 'healed' ? 'recovered' : event
}
