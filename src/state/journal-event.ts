/** One failed operation on a target or a bucket, as a line of JSON. */

import type { Fields } from './fields.js'

export const SUBJECT_SORTS = ['target', 'bucket'] as const
export type SubjectSort = (typeof SUBJECT_SORTS)[number]

export type JournalEvent = {
  /** One event has one, however often it was written: it is shown once. */
  readonly id: string
  /** RFC 3339, in UTC. */
  readonly time: string
  readonly sort: SubjectSort
  /** Of the target or bucket. */
  readonly name: string
  /** `deliver`, `get`, `put`, `list`, `delete`. */
  readonly operation: string
  readonly code: string
  /** Without secrets. */
  readonly message: string
  /** Counted from 1. */
  readonly attempt: number
  /** What ran: a benchmark's id, or the command. */
  readonly run: string
}

export function parseJournalEvent(fields: Fields): JournalEvent {
  return {
    id: fields.text('id'),
    time: fields.text('time'),
    sort: fields.word('sort', SUBJECT_SORTS),
    name: fields.text('name'),
    operation: fields.text('operation'),
    code: fields.text('code'),
    message: fields.text('message'),
    attempt: fields.count('attempt'),
    run: fields.text('run'),
  }
}
