/** Work on a partition that no delivery may be reading meanwhile. */

import { EXIT, IngestError, messageOf } from '../errors.js'
import type { Partition } from './keys.js'
import { acquireLease, type HeldLease } from './lease.js'
import type { State } from './state.js'
import { targetsBlockingPruning } from './targets-blocking-pruning.js'

/** Why nothing was done with a partition now. */
export type Skipped = { readonly skipped: string }

/**
 * Deliveries read lines while they hold the lease of their target and partition, so whoever is to take lines away holds
 * the leases of all targets. Nobody is waited for.
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
    // Another process is at work; whoever comes later does this as well.
    if (error instanceof IngestError && error.exitCode === EXIT.kept) return { skipped: messageOf(error) }
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
   * Takes the leases of all targets that are waited for now. Called once more when the head names the lines no longer: a
   * target that becomes known after that reads that head, and one that became known before may still read them.
   * @throws {IngestError} `kept` when another process has one
   */
  async acquireAll(): Promise<void> {
    const { partition, state } = this
    for (const target of await targetsBlockingPruning(state.storage)) {
      if (this.#leases.has(target)) continue
      this.#leases.set(target, await acquireLease(state, { target, partition }, { waitMs: 0 }))
    }
  }

  /** @throws {IngestError} `kept` when another process has taken one over: this one was taken to be dead */
  async assertHeld(): Promise<void> {
    for (const lease of this.#leases.values())
      if (!(await lease.isHeld())) throw new IngestError('kept', 'another process began to deliver it meanwhile')
  }

  /** Up to which number each target has it, by target. */
  get watermarks(): ReadonlyMap<string, number> {
    return new Map([...this.#leases].map(([target, { until }]) => [target, until]))
  }

  /** One that is not given back is over by itself. */
  async release(): Promise<void> {
    await Promise.all([...this.#leases.values()].map(lease => lease.release().catch(() => undefined)))
  }
}
