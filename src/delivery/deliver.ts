/** Files on their way to several targets at the same time: promise 6, targets fail alone. */

import { sentCounts } from '../sink/downgrade.js'
import type { TimedRetry } from '../sink/retry.js'
import type { AuditRow } from '../state/audit.js'
import type { Range } from '../state/intent.js'
import { PartialDeliveryError, type Delivery, type Receipt, type Sink } from '../sink/sink.js'
import { settingValues, type UsedSetting } from '../sink/tunables.js'
import type { Opening, Registered, TargetName } from './opening.js'

export type FileReceipt = Receipt & {
  readonly source: string
  readonly retries: number
  /** Records of each kind that were delivered, by kind name. */
  readonly counts: ReadonlyMap<string, number>
}

export type OutboxOutcome = {
  /** The part of the last partition that was delivered now; undefined when nothing was. */
  readonly delivered: Range | undefined
  /** What this command took in was delivered by another one that ran at the same time. */
  readonly byAnother?: boolean
  /** An operator removed the target before it had everything: it is given no more, and its failure is nobody's. */
  readonly isRemoved?: boolean
  /** Records that the target does not have yet. */
  readonly kept: number
  /** What was done besides: one row a delivery that was healed. */
  readonly audited: readonly AuditRow[]
  readonly warnings: readonly string[]
}

export type TargetOutcome = {
  readonly name: TargetName
  /** Absent for a target that flags name. */
  readonly registered?: Registered
  /** The target in words, without secrets. */
  readonly description: string
  /** The files that landed, each whole. */
  readonly receipts: readonly FileReceipt[]
  /** Of the file that failed, the chunks that landed all the same. */
  readonly partial: Receipt | undefined
  /** What the target alone took, waiting for it included. */
  readonly durationMs: number
  /** What failed and was tried again. */
  readonly retries: readonly TimedRetry[]
  /** How the last delivery was written; undefined where none was, or the sink has no choice. */
  readonly used?: readonly UsedSetting[] | undefined
  /** What state adds; undefined without state. */
  readonly outbox?: OutboxOutcome
  /** Why the file after the last receipt did not land; the ones after it were not tried. */
  readonly failure: { readonly source: string; readonly error: unknown } | undefined
}

/** @throws the signal's reason when it was aborted before anything landed anywhere */
export async function deliverAll(
  deliveries: readonly Delivery[],
  openings: readonly Opening[],
  signal: AbortSignal,
): Promise<readonly TargetOutcome[]> {
  const outcomes = await Promise.all(openings.map(opening => deliverTo(opening, deliveries, signal)))
  if (outcomes.every(({ receipts, partial }) => receipts.length === 0 && partial === undefined)) signal.throwIfAborted()
  return outcomes
}

/** Promise 2: file by file, each whole. Whatever fails is part of the answer. */
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
    return { ...target, description: opener.description, receipts, durationMs, retries, used }
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

/** Of a source that changed, whatever the target made of its rows is not the reason to tell. */
async function reasonOf(delivery: Delivery, cause: unknown): Promise<unknown> {
  return delivery.assertUnchanged().then(
    () => cause,
    (changed: unknown) => changed,
  )
}
