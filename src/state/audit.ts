/** What was done in state besides ordinary deliveries, for whoever asks later. Rows are never changed. */

import { listAll, type Storage } from '../storage/storage.js'
import { encodeDocument } from './document.js'
import type { Fields } from './fields.js'
import { AUDIT, auditKey } from './keys.js'
import type { State } from './state.js'
import { timestamp } from './state.js'

export type AuditRow = {
  /** Names what happened, so that it is told once: of a healed intent its id. */
  readonly id: string
  readonly at: string
  /** In a word: `healed`, `discarded`. */
  readonly event: string
  readonly target: string
  readonly partition: string
  readonly since: number
  readonly until: number
  /** In words. */
  readonly detail: string
}

/** Once for each id. */
export async function audit(state: State, row: Omit<AuditRow, 'at'>): Promise<AuditRow> {
  const whole = { ...row, at: timestamp(state) }
  await state.storage.putIfAbsent(auditKey(row.id), encodeDocument(whole))
  return whole
}

/** Of the last rows, the newest first. */
export async function lastAuditKeys(storage: Storage, limit: number): Promise<readonly string[]> {
  let keys: string[] = []
  for await (const { key } of limit === 0 ? [] : listAll(storage, AUDIT)) keys = [...keys, key].slice(-limit)
  return keys.reverse()
}

export function parseAuditRow(fields: Fields): AuditRow {
  return {
    id: fields.text('id'),
    at: fields.text('at'),
    event: fields.text('event'),
    target: fields.text('target'),
    partition: fields.text('partition'),
    since: fields.count('since'),
    until: fields.count('until'),
    detail: fields.text('detail'),
  }
}
