/** Delivers queued records of several partitions to one target and reports the outcome. */

import type { Hash64 } from '../../contract/hash64.js'
import { EXIT, IngestError, messageOf } from '../../errors.js'
import { PartialDeliveryError } from '../../source/delivery.js'
import type { Intent } from '../../state/intent.js'
import type { Partition } from '../../state/keys.js'
import { isOwnerGone } from '../../state/lease.js'
import type { State } from '../../state/state.js'
import { rewind } from '../../state/watermark.js'
import type { TargetOutcome } from '../deliver.js'
import type { KeptRows } from '../kept-rows.js'
import { deliverCourse, type CourseLog } from './course.js'
import type { Followed } from './followed.js'
import { keptRecords } from './pending-records.js'
import { settingsNow } from './settings-now.js'

export type PendingOptions = {
  /** Partitions to deliver completely, in this order. In other partitions only interrupted deliveries are recovered. */
  readonly partitions: readonly Partition[]
  /** All intents that existed when the command began. */
  readonly intents: readonly Intent[]
  /** Delivers those partitions again from their first record. */
  readonly fromStart?: boolean
  /** Rows of the batches that this command has enqueued, kept in memory so they need not be parsed again. */
  readonly kept?: KeptRows<string> | undefined
  /** Allows delivering to a target of an older contract version only the part of the records that it can hold. */
  readonly mayDowngrade?: boolean | undefined
  readonly hash: Hash64
  readonly waitMs: number
  readonly room?: (delivered: number) => number
  readonly signal: AbortSignal
}

/** Delivers to one target. Failures are part of the outcome; undelivered records stay in the outbox. */
export async function deliverPending(
  state: State,
  followed: Followed,
  options: PendingOptions,
): Promise<TargetOutcome> {
  const log: CourseLog = { receipts: [], retries: [], audited: [], warnings: [], delivered: undefined, used: undefined }
  const started = performance.now()
  const failures = await deliverEach(state, followed, { ...options, log })
  const durationMs = performance.now() - started
  const { isRemoved } = followed
  const { opener, settings: _settings, ...target } = followed.target
  const waiting = isRemoved || isAll(failures, options) ? [] : options.partitions
  const kept = await keptRecords(state, opener.id, waiting).catch((error: unknown) => {
    failures.push(error)
    return 0
  })
  const [error, ...others] = failures
  const { receipts, retries, audited, delivered, used } = log
  const partial = error instanceof PartialDeliveryError ? error.receipt : undefined
  const warnings = [...log.warnings, ...others.map(messageOf)]
  return {
    ...{ ...target, id: opener.id, description: opener.description, receipts, partial, durationMs, retries, used },
    failure: error === undefined ? undefined : { source: 'the outbox', error: reasonOf(error, options.signal) },
    outbox: { delivered, kept, audited, warnings, ...(isRemoved && { isRemoved }) },
  }
}

/**
 * Delivers the partitions one by one. Stops at an error that would occur in every partition, such as an unreachable
 * target.
 * @returns the errors, in order
 */
async function deliverEach(
  state: State,
  followed: Followed,
  options: PendingOptions & { readonly log: CourseLog },
): Promise<unknown[]> {
  const { id: target, isAppendOnly } = followed.target.opener
  const failures: unknown[] = []
  const healed = await toHeal(state, target, options)
  const courses = [...healed.map(partition => ({ partition, healOnly: true })), ...options.partitions.map(all)]
  for (const { partition, healOnly } of courses) {
    try {
      if (options.fromStart === true && !healOnly) await rewind(state, { target, partition }, 0)
      await deliverCourse(
        state,
        { target, partition },
        {
          ...options,
          isWanted: () => followed.isWanted(),
          sink: () => followed.sink(),
          settings: () => settingsNow(state, followed.target),
          isAppendOnly,
          healOnly,
        },
      )
    } catch (error) {
      failures.push(error)
      if (options.signal.aborted || !isOfOnePartition(error)) break
    }
    if (followed.isRemoved) break
  }
  return failures
}

const all = (partition: Partition): { readonly partition: Partition; readonly healOnly: boolean } => ({
  partition,
  healOnly: false,
})

/** Whether an error concerns one partition only: a bad record, a wrong contract version, or a lease that another process holds. */
function isOfOnePartition(error: unknown): boolean {
  if (!(error instanceof IngestError)) return false
  return error.code === 'schema_version' || [EXIT.badData, EXIT.kept].some(code => code === error.exitCode)
}

/** Partitions with an interrupted delivery to the target whose owner is gone. */
async function toHeal(
  state: State,
  target: string,
  { intents, partitions }: PendingOptions,
): Promise<readonly Partition[]> {
  const found = new Set<Partition>()
  for (const { target: of, partition, owner, at } of intents) {
    if (of !== target || partitions.includes(partition)) continue
    if (await isOwnerGone(state, owner, Date.parse(at) + state.tools.leaseMs)) found.add(partition)
  }
  return [...found]
}

/**
 * Whether everything that this command had to deliver was delivered. Records enqueued by other commands meanwhile do
 * not count.
 */
function isAll(failures: readonly unknown[], { room }: PendingOptions): boolean {
  return failures.length === 0 && (room === undefined || room(0) > 0)
}

/**
 * The error to report. When the target is unavailable the records stay queued, which is reported as `kept` (promise 6).
 */
function reasonOf(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (!(error instanceof IngestError) || error.exitCode !== EXIT.unavailable) return error
  const hint =
    'it is kept in the outbox: `vortex-ingest drain` with the same flags, or the next push with this state, delivers it'
  return new IngestError('kept', error.message, { cause: error, hint })
}
