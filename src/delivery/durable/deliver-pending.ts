/** What a target is given from the outbox by one command, and what becomes of it. */

import type { Hash64 } from '../../contract/hash64.js'
import { EXIT, IngestError, messageOf } from '../../errors.js'
import { PartlyLanded } from '../../sink/sink.js'
import { readHead } from '../../state/head.js'
import type { Intent } from '../../state/intent.js'
import type { Partition } from '../../state/keys.js'
import { isGone } from '../../state/lease.js'
import { batchesAfter } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import { readWatermark } from '../../state/watermark.js'
import type { TargetOutcome } from '../deliver.js'
import type { Opening } from '../opening.js'
import { deliverCourse, type CourseLog } from './course.js'
import { settingsNow } from './settings-now.js'

export type PendingOptions = {
  /** Partitions of which everything pending is delivered, in this order; in others only begun deliveries are healed. */
  readonly partitions: readonly Partition[]
  /** All that were there when the command began. */
  readonly intents: readonly Intent[]
  readonly hash: Hash64
  readonly waitMs: number
  readonly room?: (delivered: number) => number
  /** Asked before each delivery: whether the target is one at all by now. */
  readonly isWanted?: () => Promise<boolean>
  readonly signal: AbortSignal
}

/** Whatever fails is part of the answer; what was not delivered stays in the outbox. */
export async function deliverPending(state: State, opening: Opening, options: PendingOptions): Promise<TargetOutcome> {
  const { opener, settings: _settings, ...target } = opening.target
  const log: CourseLog = { receipts: [], retries: [], audited: [], warnings: [], delivered: undefined, used: undefined }
  const { failures, isRemoved } = await deliverEach(state, opening, { ...options, log })
  const waiting = isRemoved || isAll(failures, options) ? [] : options.partitions
  const kept = await keptRecords(state, opener.id, waiting).catch((error: unknown) => {
    failures.push(error)
    return 0
  })
  const [error, ...others] = failures
  const { receipts, retries, audited, delivered, used } = log
  const partial = error instanceof PartlyLanded ? error.receipt : undefined
  const warnings = [...log.warnings, ...others.map(messageOf)]
  return {
    ...{ ...target, description: opener.description, receipts, partial, retries, used },
    failure: error === undefined ? undefined : { source: 'the outbox', error: reasonOf(error, options.signal) },
    outbox: { delivered, kept, audited, warnings },
  }
}

/** What failed, in order, and whether the rest was left since nobody wants it there any more. */
type Delivered = { readonly failures: unknown[]; readonly isRemoved: boolean }

/** What would fail for every partition alike ends it. */
async function deliverEach(
  state: State,
  opening: Opening,
  options: PendingOptions & { readonly log: CourseLog },
): Promise<Delivered> {
  const { id: target, isAppendOnly } = opening.target.opener
  const failures: unknown[] = []
  const healed = await toHeal(state, target, options)
  const courses = [...healed.map(partition => ({ partition, healOnly: true })), ...options.partitions.map(all)]
  for (const { partition, healOnly } of courses) {
    try {
      if ((await options.isWanted?.()) === false) {
        options.log.warnings.push(`${opening.target.opener.description} was removed meanwhile, and is given no more`)
        return { failures, isRemoved: true }
      }
      await deliverCourse(
        state,
        { target, partition },
        {
          ...options,
          sink: () => opening.sink(),
          settings: () => settingsNow(state, opening.target),
          isAppendOnly,
          healOnly,
        },
      )
    } catch (error) {
      failures.push(error)
      if (options.signal.aborted || !isOfOnePartition(error)) break
    }
  }
  return { failures, isRemoved: false }
}

const all = (partition: Partition): { readonly partition: Partition; readonly healOnly: boolean } => ({
  partition,
  healOnly: false,
})

/** Another partition may hold no such record, and nobody may be working on it. */
function isOfOnePartition(error: unknown): boolean {
  return error instanceof IngestError && [EXIT.badData, EXIT.kept].some(code => code === error.exitCode)
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

/** Everything was delivered; what others took in meanwhile is theirs to deliver. */
function isAll(failures: readonly unknown[], { room }: PendingOptions): boolean {
  return failures.length === 0 && (room === undefined || room(0) > 0)
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
function reasonOf(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (!(error instanceof IngestError) || error.exitCode !== EXIT.unavailable) return error
  const hint =
    'it is kept in the outbox: `vortex-ingest drain` with the same flags, or the next push with this state, delivers it'
  return new IngestError('kept', error.message, { cause: error, hint })
}
