/** Everything in the outbox that a target does not have yet, delivered: intent, apply, watermark, intent gone. */

import type { Hash64 } from '../../contract/hash64.js'
import { messageOf } from '../../errors.js'
import { sentCounts } from '../../sink/downgrade.js'
import type { Retry, TimedRetry } from '../../sink/retry.js'
import type { Sink } from '../../sink/sink.js'
import { settingValues, type UsedSetting } from '../../sink/tunables.js'
import { audit, type AuditRow } from '../../state/audit.js'
import { assertHeadReaches, readHead, type Batch } from '../../state/head.js'
import { deleteIntent, listIntents, putIntent, readIntent, type Intent, type Range } from '../../state/intent.js'
import { acquireLease, isOwnerGone, type HeldLease } from '../../state/lease.js'
import { batchesAfter } from '../../state/outbox.js'
import { isSameOwner } from '../../state/owner.js'
import type { State } from '../../state/state.js'
import { newId } from '../../state/ulid.js'
import { readWatermark, rewind, type TargetPartition } from '../../state/watermark.js'
import type { FileReceipt } from '../deliver.js'
import type { KeptRows } from '../kept-rows.js'
import { batchesIn, deliveryOfRange, firstRange, MAX_RECORDS, rangeOf } from './range.js'

export type CourseOptions = {
  /** Asked before each delivery: whether the target is one at all by now. */
  readonly isWanted: () => Promise<boolean>
  /** Opened when there is something to deliver. */
  readonly sink: () => Promise<Sink>
  /** How the next delivery is to be written. */
  readonly settings: () => Promise<readonly UsedSetting[] | undefined>
  /** Of batches that this command has taken in. */
  readonly kept?: KeptRows<string> | undefined
  /** Gives a target of an older contract version the part of the records that it can hold. */
  readonly mayDowngrade?: boolean | undefined
  readonly hash: Hash64
  readonly signal: AbortSignal
  /** All that were there when the command began. */
  readonly intents: readonly Intent[]
  /** How long another process that delivers the same is waited for. */
  readonly waitMs: number
  /** Told what was delivered, but by healing, and asked how many records more may be; 0 ends it here. */
  readonly room?: (delivered: number) => number
  /** Every delivery stays as it is, whatever is delivered later. */
  readonly isAppendOnly?: boolean | undefined
  /** Leaves alone what nobody has begun to deliver. */
  readonly healOnly?: boolean
}

/** Filled while it goes on, so that what was done before a failure is known. */
export type CourseLog = {
  readonly receipts: FileReceipt[]
  readonly retries: TimedRetry[]
  /** One a range that was healed. */
  readonly audited: AuditRow[]
  readonly warnings: string[]
  delivered: Range | undefined
  /** How the last delivery was written. */
  used: readonly UsedSetting[] | undefined
}

/** @throws what the target or the state failed with; the outbox keeps what was not delivered */
export async function deliverCourse(
  state: State,
  course: TargetPartition,
  { log, ...options }: CourseOptions & { readonly log: CourseLog },
): Promise<void> {
  const own = options.intents.filter(intent => isOf(intent, course))
  if (own.length === 0 && (options.healOnly === true || !(await hasWork(state, course)))) return
  const run = new Run(state, course, log, options)
  let isOver = await run.underLease(own)
  while (!isOver) isOver = await run.underLease()
}

function isOf(intent: Intent, { target, partition }: TargetPartition): boolean {
  return intent.target === target && intent.partition === partition
}

/** Something to deliver, or a lease that a process left there that is gone. */
async function hasWork(state: State, course: TargetPartition): Promise<boolean> {
  const { storage } = state
  // In this order: the outbox is never behind a watermark that was read before it.
  const { watermark, isDamaged } = await readWatermark(storage, course)
  const { head } = await readHead(storage, course.partition)
  assertHeadReaches(storage, head, { partition: course.partition, until: watermark.until })
  if (isDamaged || batchesAfter(head, watermark.until).length > 0) return true
  const { lease } = watermark
  return lease !== undefined && (await isOwnerGone(state, lease.owner, lease.expiresAt))
}

class Run {
  constructor(
    private readonly state: State,
    private readonly course: TargetPartition,
    private readonly log: CourseLog,
    private readonly options: CourseOptions,
  ) {}

  /**
   * @param known the course's intents, where they cannot have become more
   * @returns false when another process took the lease over meanwhile: then all of it is to be looked at again
   */
  async underLease(known?: readonly Intent[]): Promise<boolean> {
    const { state, course } = this
    const lease = await acquireLease(state, course, { waitMs: this.options.waitMs })
    if (lease.wasDamaged)
      this.log.warnings.push(
        `the watermark of ${course.target} could not be read: delivered from the start of the outbox`,
      )
    try {
      // The lease may have been waited for.
      if (!(await this.options.isWanted())) return true
      for (const intent of known === undefined || lease.tookOver ? await this.#intents() : known)
        if (!(await this.#heal(lease, intent))) return false
      if (this.options.healOnly === true) return true
      return await this.#deliverPending(lease)
    } finally {
      // Another process need not wait until it is over. A lease that was given back, or lost, stays as it is.
      await lease.release().catch(() => undefined)
    }
  }

  async #intents(): Promise<readonly Intent[]> {
    return (await listIntents(this.state.storage)).filter(intent => isOf(intent, this.course))
  }

  /** Rolls a delivery forward that was begun and not seen through. @returns false when the lease was lost */
  async #heal(lease: HeldLease, { id }: Intent): Promise<boolean> {
    const { storage } = this.state
    const intent = await readIntent(storage, id)
    if (intent === undefined) return true
    const isDone = lease.until >= intent.until
    // Its process is about to delete it.
    const { leaseMs } = this.state.tools
    const { owner } = intent
    if (
      isDone &&
      !isSameOwner(owner, this.state.owner) &&
      !(await isOwnerGone(this.state, owner, lease.movedAt + leaseMs))
    )
      return true
    if (!isDone && !(await this.#deliverAgain(lease, intent))) return false
    const detail = isDone ? 'it had been delivered, as its watermark says' : 'it was delivered again'
    const { target, partition, since, until } = intent
    this.log.audited.push(await audit(this.state, { id, event: 'healed', target, partition, since, until, detail }))
    await deleteIntent(storage, intent)
    return true
  }

  async #deliverAgain(lease: HeldLease, { since, until }: Intent): Promise<boolean> {
    const { partition } = this.course
    const { head } = await readHead(this.state.storage, partition)
    assertHeadReaches(this.state.storage, head, { partition, until })
    const from = lease.until
    for (let left = batchesIn(head.batches, { since, until }); left.length > 0;) {
      const batches = firstRange(left)
      const range = { since: Math.max(since, batches[0]!.first - 1), until: batches.at(-1)!.last }
      if (!(await this.#apply(lease, batches, range))) return this.#overtaken(from)
      left = left.slice(batches.length)
    }
    // What lies before it was lost sight of, and is delivered next.
    if (from < since) return true
    return (await lease.move(until)) || this.#overtaken(from)
  }

  async #deliverPending(lease: HeldLease): Promise<boolean> {
    for (;;) {
      const batches = await this.#next(lease.until)
      if (batches.length === 0) return true
      if (!(await lease.isHeld())) return false
      const since = lease.until
      const range = rangeOf(batches, since)
      const intent = await putIntent(this.state, lease, range)
      if (!(await this.#apply(lease, batches, range))) return this.#overtaken(since)
      this.options.room?.(batches.reduce((all, { records }) => all + records, 0))
      const isLast = (await this.#next(range.until)).length === 0
      // One write moves the watermark and gives the lease back.
      const moved = await (isLast ? lease.release(range.until) : lease.move(range.until))
      if (!moved) await this.#overtaken(since)
      await this.#forget(intent)
      if (!moved) return false
      if (isLast || !(await this.options.isWanted())) return true
    }
  }

  async #next(since: number): Promise<readonly Batch[]> {
    const room = this.options.room?.(0) ?? Infinity
    if (room <= 0) return []
    const { head } = await readHead(this.state.storage, this.course.partition)
    return firstRange(batchesAfter(head, since), Math.min(room, MAX_RECORDS))
  }

  /** @returns false when the lease was lost meanwhile: some of it may have been applied */
  async #apply(lease: HeldLease, batches: readonly Batch[], range: Range): Promise<boolean> {
    const { hash, kept, mayDowngrade, signal } = this.options
    const assertHeld = (): Promise<void> => lease.assertHeld()
    const delivery = deliveryOfRange(this.state, batches, { range, hash, kept, mayDowngrade, signal, assertHeld })
    const noteRetry = (retry: Retry): void => {
      this.log.retries.push({ ...retry, at: this.state.tools.now() })
    }
    const before = this.log.retries.length
    try {
      const [sink, used] = await Promise.all([this.options.sink(), this.options.settings()])
      this.log.used = used
      const receipt = await sink.write(delivery, noteRetry, settingValues(used))
      const { source, counts } = delivery
      const sent = sentCounts(counts, receipt.downgrade)
      this.log.receipts.push({ ...receipt, source, counts: sent, retries: this.log.retries.length - before })
    } catch (error) {
      if (lease.isLost) return false
      throw error
    }
    this.log.delivered = { since: this.log.delivered?.since ?? range.since, until: range.until }
    return true
  }

  /**
   * What a process that was overtaken has applied may be older than what its successor did: all since then is
   * delivered once more, in order. Where nothing is written over, its successor has delivered what it had begun.
   */
  async #overtaken(since: number): Promise<false> {
    const { course, state } = this
    const detail = ['this process was overtaken while it delivered']
    if (this.options.isAppendOnly !== true) {
      await rewind(state, course, since)
      detail.push('so it was delivered again from there')
    }
    const row = { id: newId(state.tools.now()), event: 'overtaken', ...course, since, until: since }
    this.log.audited.push(await audit(state, { ...row, detail: detail.join(', ') }))
    return false
  }

  /** What is left of it is healed by the next command. */
  async #forget(intent: Intent): Promise<void> {
    await deleteIntent(this.state.storage, intent).catch((error: unknown) => {
      this.log.warnings.push(`an intent is left in the state, the next command removes it: ${messageOf(error)}`)
    })
  }
}
