/** A journal event: one failed operation on a target or bucket. */

import type { Fields } from './fields.js'

export const SUBJECT_SORTS = ['target', 'bucket'] as const
export type SubjectSort = (typeof SUBJECT_SORTS)[number]

export type JournalEvent = {
  /** Unique per event. An event that is stored twice has one id and is shown once. */
  readonly id: string
  /** RFC 3339, in UTC. */
  readonly time: string
  readonly sort: SubjectSort
  /** Name of the target or bucket. */
  readonly name: string
  /** `deliver`, `get`, `put`, `list` or `delete`. */
  readonly operation: string
  /** Code of the `IngestError`, or `internal`. */
  readonly code: string
  /** Error message without secrets. */
  readonly message: string
  /** Counted from 1. */
  readonly attempt: number
  /** Benchmark id of the run, or the name of the command. */
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
