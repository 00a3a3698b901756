/** The events of push, drain and recover. Results, progress, journal and the verbose log are made from them. */

import type { UsedSetting } from '../database/tunables.js'
import type { Receipt } from '../source/delivery.js'
import type { Rejection, Warning } from '../source/rejection.js'
import type { SavedRejects } from '../source/rejects.js'
import type { AuditRow } from '../state/audit.js'
import type { Range } from '../state/intent.js'
import type { Target } from './target.js'

export type DeliveryEvent = InputEvent | TargetEvent | { readonly type: 'warned'; readonly message: string }

type InputEvent =
  | { readonly type: 'line-rejected'; readonly rejection: Rejection }
  | { readonly type: 'line-warned'; readonly warning: Warning }
  /** The rejected lines are stored, and the others are delivered. Undefined when a repeated check allows no more. */
  | { readonly type: 'rejects-saved'; readonly rejects: SavedRejects | undefined }
  /** The new records of all sources are in the outbox. `hasNew`: there is at least one new record or source. */
  | { readonly type: 'enqueued'; readonly hasNew: boolean }

export type TargetEvent = { readonly target: Target } & (
  | { readonly type: 'opened'; readonly durationMs: number }
  /** Delivery to the target begins. Repeated when the target is removed and registered again meanwhile. */
  | { readonly type: 'began' }
  /** About this many records are going to be delivered in addition to those that were expected before. */
  | { readonly type: 'expected'; readonly records: number }
  | SendingEvent
  /** Number of records of the current delivery that the sink has read. It starts at 0 with each attempt. */
  | { readonly type: 'read'; readonly records: number }
  /** An attempt failed at the time `at`, in milliseconds since 1970; the sink waits `waitMs` and tries again. */
  | {
      readonly type: 'retried'
      readonly source: string
      readonly error: unknown
      readonly waitMs: number
      readonly at: number
    }
  | AppliedEvent
  /** The sink gave the delivery up. */
  | { readonly type: 'not-applied'; readonly source: string; readonly error: unknown }
  /** An interrupted delivery was finished. */
  | { readonly type: 'recovered'; readonly row: AuditRow }
  /** Another process took over the lease during a delivery of this process. */
  | { readonly type: 'overtaken'; readonly row: AuditRow }
  /** Number of records in the outbox that the target does not have. */
  | { readonly type: 'queued'; readonly records: number }
  /** Something that the user should know, but that does not fail the delivery. */
  | { readonly type: 'target-warned'; readonly message: string }
  /** An operator removed the target, so nothing more is delivered to it and its failure does not count. */
  | { readonly type: 'removed' }
  /** Delivery to the target ended. */
  | { readonly type: 'ended'; readonly durationMs: number }
  /** The failure that stopped delivery to the target. */
  | ({ readonly type: 'failed' } & Failure)
  /** The registry was read when the command ended. */
  | { readonly type: 'registration-read'; readonly isRequired: boolean }
)

/** The sink begins to write a delivery. */
type SendingEvent = {
  readonly type: 'sending'
  readonly source: string
  readonly records: number
  readonly settings: readonly UsedSetting[] | undefined
}

/** The target has stored a delivery. `range` is set for a delivery from the outbox. */
export type AppliedEvent = {
  readonly type: 'applied'
  readonly source: string
  /** Number of delivered records per kind name. */
  readonly counts: ReadonlyMap<string, number>
  readonly receipt: Receipt
  readonly range: Range | undefined
  readonly durationMs: number
}

export type Failure = {
  /** The file that failed, or `the outbox`. */
  readonly source: string
  readonly error: unknown
  /** The chunks of the file that are stored nevertheless. */
  readonly partial?: Receipt | undefined
}

/** Receives the events in order. Must not throw. */
export type Emit = (event: DeliveryEvent) => void
