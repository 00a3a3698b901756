/**
 * Delivers everything in the outbox that a target does not have yet: write the intent, apply, move the watermark,
 * delete the intent.
 */

import type { Hash64 } from '../../contract/hash64.js'
import { messageOf } from '../../errors.js'
import { FencedError } from '../../database/ordering.js'
import type { Delivery, OutboxDelivery } from '../../source/delivery.js'
import { audit } from '../../state/audit.js'
import { assertHeadReaches, prunedUntil, readHead, type Batch } from '../../state/head.js'
import { deleteIntent, listIntents, putIntent, readIntent, type Intent } from '../../state/intent.js'
import { acquireLease, isOwnerGone, type HeldLease } from '../../state/lease.js'
import { batchesAfter } from '../../state/outbox.js'
import { isSameOwner, type State } from '../../state/state.js'
import { newId } from '../../state/keys.js'
import { prunedRecords, readWatermark, rewind, type TargetPartition } from '../../state/watermark.js'
import type { TargetConnection } from '../target-connection.js'
import { countReads } from '../count-reads.js'
import type { Emit } from '../events.js'
import type { RowCache } from '../row-cache.js'
import { batchesIn, deliveryOfRange, firstRange, MAX_RECORDS, rangeOf } from './outbox-delivery.js'

export type PartitionOptions = {
  readonly connection: TargetConnection
  /** Writes a delivery to the target. */
  readonly apply: (delivery: Delivery) => Promise<void>
  /** Called before each delivery. Resolves to false when the target has been removed from the registry. */
  readonly isWanted: () => Promise<boolean>
  /** Rows of the batches that this command has enqueued, kept in memory so they need not be parsed again. */
  readonly cache?: RowCache<string> | undefined
  /** Allows delivering to a target of an older contract version only the part of the records that it can hold. */
  readonly mayDowngrade?: boolean | undefined
  readonly hash: Hash64
  readonly emit: Emit
  readonly signal: AbortSignal
  /** All intents that existed when the command began. */
  readonly intents: readonly Intent[]
  /** How long to wait for another process that holds the lease, in milliseconds. */
  readonly waitMs: number
  /**
   * Called after each delivery with the number of records delivered, and before each with 0. Returns how many more
   * records this run may deliver; 0 stops it. Recovered deliveries do not count.
   */
  readonly remaining?: ((delivered: number) => number) | undefined
  /** The target keeps every delivery, so a late delivery cannot overwrite a newer one. */
  readonly isAppendOnly?: boolean | undefined
  /** Called with the number of records that were pruned before the target got them. */
  readonly onPruned: (records: number) => void
  /** Only recovers interrupted deliveries and starts no new ones. */
  readonly recoverOnly: boolean
}

/**
 * Delivers all pending records of one partition to one target, after recovering interrupted deliveries.
 * @throws the error of the target or of the state; undelivered records stay in the outbox
 */
export async function deliverPartition(state: State, place: TargetPartition, options: PartitionOptions): Promise<void> {
  const own = options.intents.filter(intent => isOf(intent, place))
  if (own.length === 0 && (options.recoverOnly || !(await hasWork(state, place, options)))) return
  const delivering = new PartitionDelivery(state, place, options)
  let isOver = await delivering.runUnderLease(own)
  while (!isOver) isOver = await delivering.runUnderLease()
}

function isOf(intent: Intent, { target, partition }: TargetPartition): boolean {
  return intent.target === target && intent.partition === partition
}

/** Whether there are undelivered records, or a lease whose owner is gone. */
async function hasWork(state: State, place: TargetPartition, options: PartitionOptions): Promise<boolean> {
  const { storage } = state
  // The watermark is read first, because then the outbox read afterwards cannot be older than the watermark.
  const { watermark, isDamaged } = await readWatermark(storage, place)
  const { head } = await readHead(storage, place.partition)
  assertHeadReaches(storage, head, { partition: place.partition, until: watermark.until })
  options.onPruned(isDamaged ? 0 : prunedRecords(watermark, prunedUntil(head)))
  if (isDamaged || batchesAfter(head, watermark.until).length > 0) return true
  const { lease } = watermark
  return lease !== undefined && (await isOwnerGone(state, lease.owner, lease.expiresAt))
}

/** A range to deliver, and the id of its intent. */
type Begun = Pick<Intent, 'id' | 'since' | 'until'>

class PartitionDelivery {
  constructor(
    private readonly state: State,
    private readonly place: TargetPartition,
    private readonly options: PartitionOptions,
  ) {}

  /**
   * Acquires the lease, recovers interrupted deliveries and delivers what is pending.
   * @param known the intents of this target and partition, if no other process can have added any since they were
   * listed
   * @returns false when another process took over the lease meanwhile; the caller then has to start over
   */
  async runUnderLease(known?: readonly Intent[]): Promise<boolean> {
    const { state, place } = this
    const lease = await acquireLease(state, place, { waitMs: this.options.waitMs })
    if (lease.wasDamaged)
      this.#warn(`the watermark of ${place.target} could not be read: delivered from the start of the outbox`)
    try {
      // The target may have been removed while this process waited for the lease.
      if (!(await this.options.isWanted())) return true
      for (const intent of known === undefined || lease.tookOver ? await this.#intents() : known)
        if (!(await this.#recover(lease, intent))) return false
      if (this.options.recoverOnly) return true
      return await this.#deliverPending(lease)
    } finally {
      // Releasing early spares other processes the wait for expiry. Releasing a lease that was already released or lost
      // does nothing.
      await lease.release().catch(() => undefined)
    }
  }

  async #intents(): Promise<readonly Intent[]> {
    return (await listIntents(this.state.storage)).filter(intent => isOf(intent, this.place))
  }

  /**
   * Finishes an interrupted delivery.
   * @returns false when the lease was lost
   */
  async #recover(lease: HeldLease, { id }: Intent): Promise<boolean> {
    const { storage } = this.state
    const intent = await readIntent(storage, id)
    if (intent === undefined) return true
    const isDone = lease.until >= intent.until
    // If the owner is alive, it will delete this intent itself.
    const { leaseMs } = this.state.tools
    const { owner } = intent
    if (
      isDone &&
      !isSameOwner(owner, this.state.owner) &&
      !(await isOwnerGone(this.state, owner, lease.movedAt + leaseMs))
    )
      return true
    if (!isDone && !(await this.#deliverAgain(lease, intent))) return false
    const detail = isDone ? 'already delivered according to its watermark' : 'delivered again'
    const { target, partition, since, until } = intent
    const row = await audit(this.state, { id, event: 'recovered', target, partition, since, until, detail })
    this.options.emit({ type: 'recovered', target: this.options.connection.target, row })
    await deleteIntent(storage, intent)
    return true
  }

  async #deliverAgain(lease: HeldLease, { id, since, until }: Intent): Promise<boolean> {
    const { partition } = this.place
    const { head } = await readHead(this.state.storage, partition)
    assertHeadReaches(this.state.storage, head, { partition, until })
    const from = lease.until
    for (let left = batchesIn(head.batches, { since, until }); left.length > 0;) {
      const batches = firstRange(left)
      const range = { since: Math.max(since, batches[0]!.first - 1), until: batches.at(-1)!.last }
      if (!(await this.#apply(lease, batches, { ...range, id }))) return this.#overtaken(from)
      left = left.slice(batches.length)
    }
    // The watermark was lost or reset to before this range. The records in between are delivered next, so it must not
    // move yet.
    if (from < since) return true
    return (await lease.move(until, prunedUntil(head))) || this.#overtaken(from)
  }

  async #deliverPending(lease: HeldLease): Promise<boolean> {
    for (;;) {
      const batches = await this.#next(lease.until)
      if (batches.length === 0) return true
      if (!(await lease.isHeld())) return false
      const since = lease.until
      const range = rangeOf(batches, since)
      const intent = await putIntent(this.state, lease, range)
      if (!(await this.#apply(lease, batches, intent))) return this.#overtaken(since)
      this.options.remaining?.(batches.reduce((all, { records }) => all + records, 0))
      const isLast = (await this.#next(range.until)).length === 0
      // The batches are the first ones of the outbox that the target lacks, so whatever precedes them was pruned.
      const pruned = batches[0]!.first - 1
      // The last delivery moves the watermark and releases the lease in a single write.
      const moved = await (isLast ? lease.release(range.until, pruned) : lease.move(range.until, pruned))
      if (!moved) await this.#overtaken(since)
      await this.#forget(intent)
      if (!moved) return false
      if (isLast || !(await this.options.isWanted())) return true
    }
  }

  async #next(since: number): Promise<readonly Batch[]> {
    const remaining = this.options.remaining?.(0) ?? Infinity
    if (remaining <= 0) return []
    const { head } = await readHead(this.state.storage, this.place.partition)
    return firstRange(batchesAfter(head, since), Math.min(remaining, MAX_RECORDS))
  }

  /**
   * Writes one range to the target.
   * @returns false when the lease was lost meanwhile; part of the range may then be stored
   */
  async #apply(lease: HeldLease, batches: readonly Batch[], begun: Begun): Promise<boolean> {
    const { connection, emit } = this.options
    const { target } = connection
    for (;;) {
      const delivery = this.#deliveryOf(lease, batches, begun)
      try {
        await this.options.apply(countReads(delivery, records => emit({ type: 'read', target, records })))
        return true
      } catch (error) {
        if (lease.isLost) return false
        if (!(error instanceof FencedError)) throw error
        // A lease that is still held was not taken over: a copy of this state has written with a greater token.
        if (!(await lease.isHeld()) || !(await lease.raiseFencingToken(error.token))) return false
      }
    }
  }

  #deliveryOf(lease: HeldLease, batches: readonly Batch[], { id, since, until }: Begun): OutboxDelivery {
    const { hash, cache, mayDowngrade, signal } = this.options
    const { target, partition } = this.place
    const fence = { watermarkId: lease.id, targetId: target, partition, token: lease.fencingToken, until }
    const assertHeld = (): Promise<void> => lease.assertHeld()
    const options = { range: { since, until }, hash, cache, mayDowngrade, signal, assertHeld, fence }
    return deliveryOfRange(this.state, batches, { ...options, deliveryId: `${id}-${until}` })
  }

  /**
   * Handles the loss of the lease to another process. This process may have written older values over newer ones, so the watermark
   * is set back and everything since then is delivered again, in order. An append-only target overwrites nothing, so nothing is
   * delivered again: the new lease holder recovers the interrupted delivery.
   */
  async #overtaken(since: number): Promise<false> {
    const { place, state } = this
    const detail = ['another process took over the lease during the delivery']
    if (this.options.isAppendOnly !== true) {
      await rewind(state, place, since)
      detail.push('so these records are delivered again')
    }
    const overtaken = { id: newId(state.tools.now()), event: 'overtaken', ...place, since, until: since }
    const row = await audit(state, { ...overtaken, detail: detail.join(', ') })
    this.options.emit({ type: 'overtaken', target: this.options.connection.target, row })
    return false
  }

  /** Deletes the intent. If that fails, the leftover intent is harmless: the next command recovers it. */
  async #forget(intent: Intent): Promise<void> {
    await deleteIntent(this.state.storage, intent).catch((error: unknown) => {
      this.#warn(`an intent is left in the state, the next command removes it: ${messageOf(error)}`)
    })
  }

  #warn(message: string): void {
    this.options.emit({ type: 'target-warned', target: this.options.connection.target, message })
  }
}
