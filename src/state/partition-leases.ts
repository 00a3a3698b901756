/** Exclusive work on a partition, such as pruning, while no delivery may read its lines. */

import { EXIT, IngestError, messageOf } from '../errors.js'
import type { Partition } from './keys.js'
import { acquireLease, type HeldLease } from './lease.js'
import type { State } from './state.js'
import { targetsBlockingPruning } from './targets-blocking-pruning.js'

/** A partition was left alone; `skipped` is the reason, for people. */
export type Skipped = { readonly skipped: string }

/**
 * Runs `work` while this process holds the partition's leases of all targets that block pruning. A delivery reads lines
 * only under the lease of its target, so nobody reads while all leases are held.
 * @returns the reason when another process holds a lease; this function does not wait for leases
 */
export async function withPartitionLeases<T>(
  state: State,
  partition: Partition,
  work: (hold: PartitionLeases) => Promise<T>,
): Promise<T | Skipped> {
  const hold = new PartitionLeases(state, partition)
  try {
    await hold.acquireAll()
    return await work(hold)
  } catch (error) {
    // Not an error: a later run does the same work.
    if (error instanceof IngestError && error.exitCode === EXIT.queued) return { skipped: messageOf(error) }
    throw error
  } finally {
    await hold.release()
  }
}

export class PartitionLeases {
  readonly #leases = new Map<string, HeldLease>()

  constructor(
    private readonly state: State,
    private readonly partition: Partition,
  ) {}

  /**
   * Acquires the leases of all targets that block pruning now and are not held yet. Call it again after the head was
   * rewritten and before lines are deleted: a target registered in between may be reading them. A target registered later
   * reads the new head.
   * @throws {IngestError} `queued` when another process holds one of the leases
   */
  async acquireAll(): Promise<void> {
    const { partition, state } = this
    for (const target of await targetsBlockingPruning(state.storage)) {
      if (this.#leases.has(target)) continue
      this.#leases.set(target, await acquireLease(state, { target, partition }, { waitMs: 0 }))
    }
  }

  /** @throws {IngestError} `queued` when another process took a lease over because this process seemed dead */
  async assertHeld(): Promise<void> {
    for (const lease of this.#leases.values())
      if (!(await lease.isHeld()))
        throw new IngestError('queued', 'another process took over a lease of this partition')
  }

  /** The watermark of each target, by target id. */
  get watermarks(): ReadonlyMap<string, number> {
    return new Map([...this.#leases].map(([target, { until }]) => [target, until]))
  }

  /** Releases all leases. Failures are ignored because a lease expires by itself. */
  async release(): Promise<void> {
    await Promise.all([...this.#leases.values()].map(lease => lease.release().catch(() => undefined)))
  }
}
