/** The queue of a target with state: what the outbox holds for it, partition by partition. */

import type { UsedSetting } from '../../database/tunables.js'
import { abortError, EXIT, IngestError, isStateFailure } from '../../errors.js'
import { PartialDeliveryError, type Delivery } from '../../source/delivery.js'
import type { Partition } from '../../state/keys.js'
import { isOwnerGone } from '../../state/lease.js'
import type { State } from '../../state/state.js'
import { prunedText, readWatermark, rewindToStart } from '../../state/watermark.js'
import type { TargetConnection } from '../target-connection.js'
import { deliver, type Queue } from '../deliver.js'
import type { Failure } from '../events.js'
import { settingsInForce } from '../settings.js'
import type { ReadTargets } from '../target.js'
import { deliverPartition, type PartitionOptions } from './deliver-partition.js'
import { isStillRegistered, type TargetEnd } from './registrations.js'
import { holdsWholeSources, prunedUntil, readHead } from '../../state/head.js'
import type { Intent } from '../../state/intent.js'
import { batchesAfter } from '../../state/outbox.js'
import { batchesIn } from './outbox-delivery.js'

export type OutboxOptions = Pick<
  PartitionOptions,
  'cache' | 'emit' | 'hash' | 'intents' | 'mayDowngrade' | 'remaining' | 'signal' | 'waitMs'
> & {
  /** Partitions to deliver completely, in this order. In other partitions only interrupted deliveries are recovered. */
  readonly partitions: readonly Partition[]
  /** Delivers those partitions again from their first record. */
  readonly fromStart?: boolean | undefined
  readonly readTargets?: ReadTargets | undefined
}

/** Delivers to one target what the outbox holds for it, and closes the connection. */
export async function deliverFromOutbox(
  state: State,
  connection: TargetConnection,
  options: OutboxOptions,
): Promise<TargetEnd> {
  const queue = new OutboxQueue(state, connection, options)
  const { emit } = options
  const isComplete = await deliver(connection, queue, { emit, now: () => state.tools.now() }).finally(() =>
    connection.close(),
  )
  const { target, isRemoved } = connection
  return { target, hasFailed: !isComplete, isRemoved, queued: queue.queued }
}

class OutboxQueue implements Queue {
  #queued = 0

  constructor(
    private readonly state: State,
    private readonly connection: TargetConnection,
    private readonly options: OutboxOptions,
  ) {}

  /** Number of records that stayed in the outbox. */
  get queued(): number {
    return this.#queued
  }

  settings(): Promise<readonly UsedSetting[] | undefined> {
    return settingsInForce(this.connection.target, this.state)
  }

  async deliver(apply: (delivery: Delivery) => Promise<void>): Promise<readonly Failure[]> {
    const errors = await this.#deliverPartitions(apply)
    await this.#countQueued(errors)
    const { signal } = this.options
    // The state's failure decides, because it may hold less than was queued for a target that is down.
    errors.sort((left, right) => Number(isStateFailure(right)) - Number(isStateFailure(left)))
    return errors.map((error, index) => ({
      source: 'the outbox',
      error: index === 0 ? reportedError(error, signal) : error,
      partial: error instanceof PartialDeliveryError ? error.receipt : undefined,
    }))
  }

  /**
   * Delivers the partitions one by one. Stops at an error that would occur in every partition, such as an unreachable
   * target.
   * @returns the errors, in order
   */
  async #deliverPartitions(apply: (delivery: Delivery) => Promise<void>): Promise<unknown[]> {
    const { state, connection, options } = this
    const { id: target, isAppendOnly } = connection.target.opener
    const isWanted = (): Promise<boolean> => isStillRegistered(state, connection, options.readTargets)
    const recovered = await this.#partitionsToRecover(target)
    const errors: unknown[] = []
    const pruned: number[] = []
    for (const partition of [...recovered, ...options.partitions]) {
      const recoverOnly = recovered.includes(partition)
      try {
        if (options.fromStart === true && !recoverOnly) await this.#rewindToStart(partition)
        const onPruned = (records: number): void => void pruned.push(records)
        const part = { ...options, connection, apply, isWanted, isAppendOnly, recoverOnly, onPruned }
        await deliverPartition(state, { target, partition }, part)
      } catch (error) {
        errors.push(error)
        if (options.signal.aborted || !isOfOnePartition(error)) break
      }
      if (connection.isRemoved) break
    }
    this.#warnOfPruned(pruned.filter(records => records > 0))
    return errors
  }

  /** The sources are pushed again from their start, so that the target also gets what was pruned of them. */
  async #rewindToStart(partition: Partition): Promise<void> {
    const { state, connection } = this
    const { head } = await readHead(state.storage, partition)
    const place = { target: connection.target.opener.id, partition }
    await rewindToStart(state, place, { prunedUntil: prunedUntil(head), isComplete: holdsWholeSources(head) })
  }

  #warnOfPruned(pruned: readonly number[]): void {
    if (pruned.length === 0) return
    const { emit } = this.options
    const records = pruned.reduce((all, one) => all + one, 0)
    const { target } = this.connection
    const message = prunedText({ records, partitions: pruned.length }, target.opener.description)
    emit({ type: 'target-warned', target, message })
  }

  /** Partitions with an interrupted delivery to the target whose owner is gone. */
  async #partitionsToRecover(target: string): Promise<readonly Partition[]> {
    const { intents, partitions } = this.options
    const found = new Set<Partition>()
    for (const { target: of, partition, owner, at } of intents) {
      if (of !== target || partitions.includes(partition)) continue
      const { now, leaseMs } = this.state.tools
      // The time of an owner whose clock is ahead says nothing. `recover` tries its partition, and the lease decides.
      const isAhead = partitions.length === 0 && Date.parse(at) > now()
      if (isAhead || (await isOwnerGone(this.state, owner, Date.parse(at) + leaseMs))) found.add(partition)
    }
    return [...found]
  }

  /** Counts the records that stay in the outbox. Stopping at a limit while records remain queued is an error (exit 75). */
  async #countQueued(errors: unknown[]): Promise<void> {
    const { partitions, remaining, emit } = this.options
    const { target, isRemoved } = this.connection
    const isLimited = remaining !== undefined && remaining(0) <= 0
    // Records enqueued by other commands meanwhile do not count.
    if (isRemoved || (errors.length === 0 && !isLimited)) return
    try {
      this.#queued = await countQueuedRecords(this.state, target.opener.id, partitions)
    } catch (error) {
      errors.push(error)
    }
    emit({ type: 'queued', target, records: this.#queued })
    if (errors.length > 0 || this.#queued === 0) return
    const message = `stopped at the limit of this run: ${target.opener.description} has queued records left`
    errors.push(new IngestError('queued', message, { hint: 'run the command again to deliver them' }))
  }
}

/**
 * Whether an error concerns one partition only: a bad record, one that the target refuses, a wrong contract version, or a lease
 * that another process holds.
 */
function isOfOnePartition(error: unknown): boolean {
  if (!(error instanceof IngestError)) return false
  return (
    error.code === 'target_refused' ||
    error.code === 'schema_version' ||
    [EXIT.badData, EXIT.queued].some(code => code === error.exitCode)
  )
}

/**
 * The error to report. When the target is unavailable the records stay queued, which is reported as `queued` (promise 6).
 */
function reportedError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return abortError(error, signal)
  if (!(error instanceof IngestError) || error.exitCode !== EXIT.unavailable || isStateFailure(error)) return error
  const hint =
    'the records stay queued: `vortex-ingest drain` with the same flags, or the next push with this state, delivers them'
  return new IngestError('queued', error.message, { cause: error, hint })
}

/** Number of records in these partitions that the target has not acknowledged. */
export async function countQueuedRecords(
  { storage }: State,
  target: string,
  partitions: readonly Partition[],
): Promise<number> {
  let queued = 0
  for (const partition of partitions) {
    const { watermark } = await readWatermark(storage, { target, partition })
    const { head } = await readHead(storage, partition)
    for (const { records } of batchesAfter(head, watermark.until)) queued += records
  }
  return queued
}

/** Number of records in interrupted deliveries to the target, outside the given partitions. */
export async function countBegunRecords(
  { storage }: State,
  target: string,
  { intents, partitions }: { readonly intents: readonly Intent[]; readonly partitions: readonly Partition[] },
): Promise<number> {
  let begun = 0
  for (const intent of intents) {
    const { partition } = intent
    if (intent.target !== target || partitions.includes(partition)) continue
    const { watermark } = await readWatermark(storage, { target, partition })
    if (watermark.until >= intent.until) continue
    const { head } = await readHead(storage, partition)
    for (const { records } of batchesIn(head.batches, intent)) begun += records
  }
  return begun
}
