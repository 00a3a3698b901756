/** What a target is given from the outbox by one command, and what becomes of it. */

import type { Hash64 } from '../../contract/hash64.js'
import { EXIT, IngestError, messageOf } from '../../errors.js'
import { PartlyLanded } from '../../sink/sink.js'
import type { AuditRow } from '../../state/audit.js'
import { readHead } from '../../state/head.js'
import type { Intent, Range } from '../../state/intent.js'
import type { Partition } from '../../state/keys.js'
import { isGone } from '../../state/lease.js'
import { batchesAfter } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import { readWatermark } from '../../state/watermark.js'
import type { TargetOutcome } from '../deliver.js'
import type { Opening } from '../opening.js'
import { deliverCourse, type CourseLog } from './course.js'

export type PendingOptions = {
  /** Partitions of which everything pending is delivered, in this order; in others only begun deliveries are healed. */
  readonly partitions: readonly Partition[]
  /** All that were there when the command began. */
  readonly intents: readonly Intent[]
  readonly hash: Hash64
  readonly waitMs: number
  readonly room?: () => number
  readonly signal: AbortSignal
}

/** What state adds to the outcome of a target. */
export type StateOutcome = {
  /** The part of the last partition that was delivered now; undefined when nothing was. */
  readonly delivered: Range | undefined
  /** Records of these partitions that the target does not have yet. */
  readonly kept: number
  readonly audited: readonly AuditRow[]
  readonly warnings: readonly string[]
}

export type DurableOutcome = TargetOutcome & { readonly state: StateOutcome }

/** Whatever fails is part of the answer; what was not delivered stays in the outbox. */
export async function deliverPending(state: State, opening: Opening, options: PendingOptions): Promise<DurableOutcome> {
  const { name, opener } = opening.target
  const target = opener.id
  const log: CourseLog = { receipts: [], retries: [], audited: [], warnings: [], delivered: undefined }
  const courseOptions = { ...options, sink: () => opening.sink(), log }
  let failure: TargetOutcome['failure']
  let partial: TargetOutcome['partial']
  try {
    for (const partition of await toHeal(state, target, options))
      await deliverCourse(state, { target, partition }, { ...courseOptions, healOnly: true })
    for (const partition of options.partitions) await deliverCourse(state, { target, partition }, courseOptions)
  } catch (cause) {
    if (cause instanceof PartlyLanded) partial = cause.receipt
    failure = { source: 'the outbox', error: options.signal.aborted ? options.signal.reason : keptOf(cause) }
  }
  const { receipts, retries, audited, warnings, delivered } = log
  const kept = await keptRecords(state, target, options.partitions).catch((error: unknown) => {
    failure ??= { source: 'the outbox', error }
    return 0
  })
  const outcome = { name, description: opener.description, receipts, partial, retries, failure }
  return { ...outcome, state: { delivered, kept, audited, warnings } }
}

/** Partitions in which the process that delivered to the target is gone. */
async function toHeal(
  state: State,
  target: string,
  { intents, partitions }: PendingOptions,
): Promise<readonly Partition[]> {
  const found = new Set<Partition>()
  for (const { target: of, partition, owner, at } of intents) {
    if (of !== target || partitions.includes(partition)) continue
    if (await isGone(state, owner, Date.parse(at) + state.tools.leaseMs)) found.add(partition)
  }
  return [...found]
}

async function keptRecords(state: State, target: string, partitions: readonly Partition[]): Promise<number> {
  let kept = 0
  for (const partition of partitions) {
    const { watermark } = await readWatermark(state.storage, { target, partition })
    const { head } = await readHead(state.storage, partition)
    for (const { records } of batchesAfter(head, watermark.until)) kept += records
  }
  return kept
}

/** A target that is down is no failure of a push that kept what it missed: promise 6. */
function keptOf(cause: unknown): unknown {
  if (!(cause instanceof IngestError) || cause.exitCode !== EXIT.unavailable) return cause
  const hint = 'it is kept in the outbox: `vortex-ingest drain`, or the next push with this state, delivers it'
  return new IngestError('kept', messageOf(cause), { cause, hint })
}
