/**
 * Leases: the right to deliver a partition to a target. One process holds it at a time and renews it; a lease that is not
 * renewed expires.
 */

import { IngestError } from '../errors.js'
import { VersionConflict, type Version } from '../storage/storage.js'
import { retryOnConflict } from './document.js'
import { newId } from './keys.js'
import { hasEnded, isSameOwner, type Owner, timestamp, type State } from './state.js'
import {
  movedWatermark,
  readWatermark,
  writeWatermark,
  type TargetPartition,
  type Lease,
  type StoredWatermark,
  type Watermark,
} from './watermark.js'
import { monotonicMs } from '../monotonic-time.js'

export type AcquireOptions = {
  /** How long to wait for a process that holds the lease. */
  readonly waitMs: number
}

const FIRST_POLL_MS = 20
const MAX_POLL_MS = 1_000

/**
 * Acquires the lease, waiting up to `waitMs` while another process holds it. If the lease expires too far in the future, the
 * clock of its owner is ahead. The wait then lasts at least one lease duration, to see whether the owner still renews the
 * lease.
 * @throws {IngestError} `queued` when another process still holds the lease after that
 */
export async function acquireLease(
  state: State,
  targetPartition: TargetPartition,
  { waitMs }: AcquireOptions,
): Promise<HeldLease> {
  const { sleep, random } = state.tools
  const watch = new LeaseWatch(state)
  // Counted from the delays, because the system clock may be changed while waiting.
  let waitedMs = 0
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, MAX_POLL_MS)) {
    const held = await tryAcquireLease(state, targetPartition, watch)
    if (held instanceof HeldLease) return held
    const limitMs = Math.max(waitMs, watch.minWaitMs(held))
    if (waitedMs >= limitMs) throw leaseHeldError(held)
    const delayMs = Math.min(limitMs - waitedMs, pollMs * (0.5 + random() / 2))
    await sleep(delayMs)
    waitedMs += delayMs
    watch.unchangedMs += delayMs
  }
}

/**
 * Observes the lease of another process while this process waits. An owner that did not renew its lease for its whole
 * duration has lost it, whatever the clocks of the two machines say.
 */
class LeaseWatch {
  /** For how long the current version of the lease has been observed. */
  unchangedMs = 0
  #version: Version | undefined
  #changes = 0

  constructor(private readonly state: State) {}

  /** @returns whether the owner is gone */
  async observe(lease: Lease, version: Version | undefined): Promise<boolean> {
    if (version !== this.#version) {
      this.unchangedMs = 0
      this.#changes++
    }
    this.#version = version
    const { owner, expiresAt, durationMs = Infinity } = lease
    return this.unchangedMs >= durationMs || isOwnerGone(this.state, owner, expiresAt)
  }

  /**
   * The minimum wait: one lease duration when the expiry cannot be right and the owner has not renewed the lease yet, otherwise
   * 0.
   */
  minWaitMs({ expiresAt, durationMs = Infinity }: Lease): number {
    const isAhead = expiresAt > this.state.tools.now() + durationMs
    return isAhead && this.#changes === 1 ? durationMs : 0
  }
}

/** Whether the owner has lost its right: it let `expiresAt` pass, or its process is known to have ended. */
export async function isOwnerGone({ tools }: State, owner: Owner, expiresAt: number): Promise<boolean> {
  return tools.now() >= expiresAt || (await hasEnded(owner))
}

/** @returns the lease of another process when that process holds it */
async function tryAcquireLease(
  state: State,
  targetPartition: TargetPartition,
  watch: LeaseWatch,
): Promise<HeldLease | Lease> {
  return retryOnConflict(state, async () => {
    const found = await readWatermark(state.storage, targetPartition)
    const { watermark, isDamaged } = found
    const { lease } = watermark
    // A stored lease of this process is one that it lost earlier, so it may be acquired again.
    const isFree = lease === undefined || isSameOwner(lease.owner, state.owner)
    if (!isFree && !(await watch.observe(lease, found.stored))) return lease
    const grantedAt = monotonicMs()
    const id = watermark.id === '' ? newId(state.tools.now()) : watermark.id
    const taken = { ...watermark, id, fencingToken: watermark.fencingToken + 1, lease: newLease(state) }
    const written = await writeWatermark(state.storage, targetPartition, { ...found, watermark: taken })
    return new HeldLease(state, targetPartition, { ...written, isDamaged, grantedAt, tookOver: lease !== undefined })
  })
}

function newLease({ owner, tools }: State): Lease {
  return { owner, expiresAt: tools.now() + tools.leaseMs, durationMs: tools.leaseMs }
}

function leaseHeldError({ owner }: Lease): IngestError {
  const hint = 'that process delivers the queued records; run this command again, or `vortex-ingest drain`, later'
  return new IngestError('queued', `another process (${owner.pid}) is delivering to this target`, { hint })
}

type AcquiredWatermark = StoredWatermark & { readonly tookOver: boolean; readonly grantedAt: number }

/** A lease that this process holds and renews in the background until it is released or lost. */
export class HeldLease {
  /** True when the previous owner did not release the lease. */
  readonly tookOver: boolean
  /** True when the watermark could not be read, so that delivery starts from the beginning. */
  readonly wasDamaged: boolean
  #current: StoredWatermark
  /** When the last write of the lease began, on the monotonic clock. */
  #grantedAt: number
  #isLost = false
  #isReleased = false
  #renewal: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(
    private readonly state: State,
    readonly targetPartition: TargetPartition,
    { tookOver, isDamaged, grantedAt, ...current }: AcquiredWatermark,
  ) {
    this.tookOver = tookOver
    this.wasDamaged = isDamaged
    this.#grantedAt = grantedAt
    this.#current = { ...current, isDamaged: false }
    this.#renewal = setInterval(() => void this.#renew(), state.tools.leaseMs / 3)
    this.#renewal.unref()
  }

  /** The watermark: the highest sequence number that the target is known to hold. */
  get until(): number {
    return this.#current.watermark.until
  }

  /** The fencing token: grows with each lease of the same target and partition. */
  get fencingToken(): number {
    return this.#current.watermark.fencingToken
  }

  /** The id of the watermark. */
  get id(): string {
    return this.#current.watermark.id
  }

  /** When the watermark last moved, milliseconds since 1970; 0 when it never did. */
  get movedAt(): number {
    return Date.parse(this.#current.watermark.at) || 0
  }

  /** Whether this process still holds the lease. Renews the lease first when more than half of its time has passed. */
  async isHeld(): Promise<boolean> {
    if (this.#leftMs < this.state.tools.leaseMs / 2) await this.#renew()
    return !this.#isLost && this.#leftMs > 0
  }

  /** The time that is left by both clocks: the system clock may be set back, and the monotonic one stops in sleep mode. */
  get #leftMs(): number {
    const { now, leaseMs } = this.state.tools
    const bySystemClock = (this.#current.watermark.lease?.expiresAt ?? 0) - now()
    return Math.min(bySystemClock, this.#grantedAt + leaseMs - monotonicMs())
  }

  /** True once a write has shown that another process took the lease over. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** @throws {IngestError} `queued` when the lease is lost or expired */
  async assertHeld(): Promise<void> {
    if (await this.isHeld()) return
    throw new IngestError('queued', 'this process did not renew its lease in time, so another process may deliver', {
      hint: 'run this command again',
    })
  }

  /**
   * Makes the fencing token greater than `token`, the one stored in the target. It is higher than ours when a copy of this
   * state has delivered to the same target.
   * @returns false when the lease is lost
   */
  async raiseFencingToken(token: number): Promise<boolean> {
    return this.#write(watermark => ({ ...watermark, fencingToken: Math.max(watermark.fencingToken, token) + 1 }))
  }

  /**
   * Moves the watermark and renews the lease.
   * @param pruned the last sequence number before the outbox begins
   * @returns false when the lease is lost; then nothing was moved
   */
  async move(until: number, pruned = 0): Promise<boolean> {
    return this.#write(watermark => ({
      ...this.#moved(watermark, until, pruned),
      at: timestamp(this.state),
      lease: newLease(this.state),
    }))
  }

  /** When the watermark was damaged, the target may already hold the pruned records, so they are not counted as missing. */
  #moved(watermark: Watermark, until: number, pruned: number): Watermark {
    return movedWatermark(watermark, until, this.wasDamaged ? 0 : pruned)
  }

  /**
   * Releases the lease and moves the watermark to `until` in the same write.
   * @returns false when the lease was lost before; then nothing was written
   */
  async release(until = this.until, pruned = 0): Promise<boolean> {
    if (this.#isReleased) return true
    clearInterval(this.#renewal)
    const at = until === this.until ? this.#current.watermark.at : timestamp(this.state)
    this.#isReleased = await this.#write(watermark => ({
      ...this.#moved(watermark, until, pruned),
      at,
      lease: undefined,
    }))
    return this.#isReleased
  }

  async #renew(): Promise<void> {
    // A failed renewal is not an error yet: the storage may recover before the lease expires, and the next write will tell.
    await this.#write(watermark => ({ ...watermark, lease: newLease(this.state) })).catch(() => undefined)
  }

  /** Runs writes one after the other, because each must name the version that the previous one wrote. */
  async #write(change: (watermark: Watermark) => Watermark): Promise<boolean> {
    const write = this.#writing.then(() => this.#writeNow(change))
    this.#writing = write.then(
      () => undefined,
      () => undefined,
    )
    return write
  }

  async #writeNow(change: (watermark: Watermark) => Watermark): Promise<boolean> {
    if (this.#isLost) return false
    const grantedAt = monotonicMs()
    const watermark = change(this.#current.watermark)
    try {
      this.#current = await writeWatermark(this.state.storage, this.targetPartition, { ...this.#current, watermark })
      this.#grantedAt = grantedAt
      return true
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
      this.#isLost = true
      return false
    }
  }
}
