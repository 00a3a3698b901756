/** Delivers files to several targets at the same time. A failing target does not affect the others (promise 6). */

import { sentCounts } from '../source/downgrade.js'
import type { TimedRetry } from '../http/retry.js'
import type { AuditRow } from '../state/audit.js'
import type { Range } from '../state/intent.js'
import { PartialDeliveryError, type Delivery, type Receipt } from '../source/delivery.js'
import { type Sink } from '../targets/sink.js'
import { settingValues, type UsedSetting } from '../database/tunables.js'
import type { Opening, Registered } from './opening.js'

export type FileReceipt = Receipt & {
  readonly source: string
  readonly retries: number
  /** Number of delivered records per kind name. */
  readonly counts: ReadonlyMap<string, number>
}

export type OutboxOutcome = {
  /**
   * The range of sequence numbers delivered by this command in the last partition; undefined when nothing was
   * delivered.
   */
  readonly delivered: Range | undefined
  /** The records that this command enqueued were delivered by another command that ran at the same time. */
  readonly byAnother?: boolean
  /**
   * An operator removed the target before everything was delivered. Delivery to it stops, and its failure does not fail
   * the command.
   */
  readonly isRemoved?: boolean
  /** Number of queued records that are not yet delivered to the target. */
  readonly kept: number
  /** Audit rows of this command: one per recovered delivery, and one each time another process took over the lease. */
  readonly audited: readonly AuditRow[]
  readonly warnings: readonly string[]
}

export type TargetOutcome = {
  /** The target's name, kind and id. */
  readonly name: string
  readonly kind: string
  readonly id: string
  /** Absent for a target given by flags. */
  readonly registered?: Registered
  /** Human-readable description of the target, without secrets. */
  readonly description: string
  /** One receipt per file that was delivered completely. */
  readonly receipts: readonly FileReceipt[]
  /** The chunks of the failed file that are stored nevertheless. */
  readonly partial: Receipt | undefined
  /** Time spent on this target in milliseconds, including waiting for it. */
  readonly durationMs: number
  /** Failed attempts that were retried. */
  readonly retries: readonly TimedRetry[]
  /** The write settings of the last delivery; undefined when there was none, or when the target has no settings. */
  readonly used?: readonly UsedSetting[] | undefined
  /** The result that only exists with state; undefined without state. */
  readonly outbox?: OutboxOutcome
  /**
   * The failure that stopped delivery to the target, and the file it happened on. Files after that one were not
   * attempted.
   */
  readonly failure: { readonly source: string; readonly error: unknown } | undefined
}

/**
 * Delivers all files to every target. The failure of a target is part of its outcome.
 * @throws the signal's reason when it was aborted before anything was stored in any target
 */
export async function deliverAll(
  deliveries: readonly Delivery[],
  openings: readonly Opening[],
  signal: AbortSignal,
): Promise<readonly TargetOutcome[]> {
  const outcomes = await Promise.all(openings.map(opening => deliverTo(opening, deliveries, signal)))
  if (outcomes.every(({ receipts, partial }) => receipts.length === 0 && partial === undefined)) signal.throwIfAborted()
  return outcomes
}

/**
 * Delivers the files one by one, each completely or not at all (promise 2). Failures are part of the outcome and are
 * not thrown.
 */
async function deliverTo(
  opening: Opening,
  deliveries: readonly Delivery[],
  signal: AbortSignal,
): Promise<TargetOutcome> {
  const { opener, settings, ...target } = opening.target
  const used = settings?.(undefined)
  const started = performance.now()
  const receipts: FileReceipt[] = []
  const retries: TimedRetry[] = []
  const outcome = (): Omit<TargetOutcome, 'partial' | 'failure'> => {
    const durationMs = performance.now() - started
    return { ...target, id: opener.id, description: opener.description, receipts, durationMs, retries, used }
  }
  let sink: Sink | undefined
  for (const delivery of deliveries) {
    const before = retries.length
    try {
      sink ??= await opening.sink()
      const receipt = await sink.write(
        delivery,
        retry => retries.push({ ...retry, at: Date.now() }),
        settingValues(used),
      )
      const { source, counts } = delivery
      const sent = sentCounts(counts, receipt.downgrade)
      receipts.push({ ...receipt, source, counts: sent, retries: retries.length - before })
    } catch (cause) {
      const error: unknown = signal.aborted ? signal.reason : await reasonOf(delivery, cause)
      const failure = { source: delivery.source, error }
      const partial = cause instanceof PartialDeliveryError ? cause.receipt : undefined
      return { ...outcome(), partial, failure }
    }
  }
  return { ...outcome(), partial: undefined, failure: undefined }
}

/**
 * The error to report for a failed delivery. If the source changed meanwhile, that is reported instead of the target's
 * error.
 */
async function reasonOf(delivery: Delivery, cause: unknown): Promise<unknown> {
  return delivery.assertMayCommit().then(
    () => cause,
    (changed: unknown) => changed,
  )
}
