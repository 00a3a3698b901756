/** The right to deliver a partition to a target: held by one process at a time, kept alive by it, lost when it says nothing. */

import { IngestError } from '../errors.js'
import { VersionConflict } from '../storage/storage.js'
import { retryOnConflict } from './retry-on-conflict.js'
import { hasEnded, isSameOwner, type Owner } from './owner.js'
import { timestamp, type State } from './state.js'
import {
  readWatermark,
  writeWatermark,
  type TargetPartition,
  type Lease,
  type StoredWatermark,
  type Watermark,
} from './watermark.js'

export type AcquireOptions = {
  /** How long another process that works is waited for. */
  readonly waitMs: number
}

const FIRST_POLL_MS = 20
const MAX_POLL_MS = 1_000

/** @throws {IngestError} `kept` when another process has it and goes on working */
export async function acquireLease(
  state: State,
  course: TargetPartition,
  { waitMs }: AcquireOptions,
): Promise<HeldLease> {
  const { sleep, random } = state.tools
  // Counted, not read off the clock, which may be set meanwhile.
  let waitedMs = 0
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, MAX_POLL_MS)) {
    const held = await tryAcquireLease(state, course)
    if (held instanceof HeldLease) return held
    if (waitedMs >= waitMs) throw leaseHeldError(held)
    const delayMs = Math.min(waitMs - waitedMs, pollMs * (0.5 + random() / 2))
    await sleep(delayMs)
    waitedMs += delayMs
  }
}

/** Whoever does not say that it works, or is known to have ended, has lost its right. */
export async function isOwnerGone({ tools }: State, owner: Owner, expiresAt: number): Promise<boolean> {
  return tools.now() >= expiresAt || (await hasEnded(owner))
}

/** @returns the lease of the process that has it when that is another one */
async function tryAcquireLease(state: State, course: TargetPartition): Promise<HeldLease | Lease> {
  return retryOnConflict(state, async () => {
    const found = await readWatermark(state.storage, course)
    const { watermark, isDamaged } = found
    const { lease } = watermark
    // One of our own is one that we have lost: who overtook us left it there.
    const isFree = lease === undefined || isSameOwner(lease.owner, state.owner)
    if (!isFree && !(await isOwnerGone(state, lease.owner, lease.expiresAt))) return lease
    const taken = { ...watermark, fence: watermark.fence + 1, lease: newLease(state) }
    const written = await writeWatermark(state.storage, course, { ...found, watermark: taken })
    return new HeldLease(state, course, { ...written, isDamaged, tookOver: lease !== undefined })
  })
}

function newLease({ owner, tools }: State): Lease {
  return { owner, expiresAt: tools.now() + tools.leaseMs }
}

function leaseHeldError({ owner }: Lease): IngestError {
  const hint = 'it delivers what is in the outbox; run it again, or `vortex-ingest drain` later'
  return new IngestError('kept', `another process (${owner.pid}) is delivering to it`, { hint })
}

type AcquiredWatermark = StoredWatermark & { readonly tookOver: boolean }

export class HeldLease {
  /** The process that had it before did not give it back. */
  readonly tookOver: boolean
  /** The watermark could not be read, so delivery begins at the start. */
  readonly wasDamaged: boolean
  #current: StoredWatermark
  #isLost = false
  #isReleased = false
  #renewal: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(
    private readonly state: State,
    readonly targetPartition: TargetPartition,
    { tookOver, isDamaged, ...current }: AcquiredWatermark,
  ) {
    this.tookOver = tookOver
    this.wasDamaged = isDamaged
    this.#current = { ...current, isDamaged: false }
    this.#renewal = setInterval(() => void this.#renew(), state.tools.leaseMs / 3)
    this.#renewal.unref()
  }

  get until(): number {
    return this.#current.watermark.until
  }

  /** Names this lease among all that there were of the course. */
  get fence(): number {
    return this.#current.watermark.fence
  }

  /** When the watermark was moved last, milliseconds since 1970. */
  get movedAt(): number {
    return Date.parse(this.#current.watermark.at) || 0
  }

  /** Asks the storage unless it said so a moment ago. */
  async isHeld(): Promise<boolean> {
    if (this.#leftMs < this.state.tools.leaseMs / 2) await this.#renew()
    return !this.#isLost && this.#leftMs > 0
  }

  get #leftMs(): number {
    return (this.#current.watermark.lease?.expiresAt ?? 0) - this.state.tools.now()
  }

  /** Another process has taken it over. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** @throws {IngestError} `kept` */
  async assertHeld(): Promise<void> {
    if (await this.isHeld()) return
    throw new IngestError('kept', 'this process was silent for so long that another one may deliver', {
      hint: 'run it again',
    })
  }

  /** @returns false when another process has taken the lease over: nothing was moved */
  async move(until: number): Promise<boolean> {
    return this.#write(watermark => ({ ...watermark, until, at: timestamp(this.state), lease: newLease(this.state) }))
  }

  /** Moves the watermark, if told to, and gives the lease back, at once. @returns false when it was lost before */
  async release(until = this.until): Promise<boolean> {
    if (this.#isReleased) return true
    clearInterval(this.#renewal)
    const at = until === this.until ? this.#current.watermark.at : timestamp(this.state)
    this.#isReleased = await this.#write(watermark => ({ ...watermark, until, at, lease: undefined }))
    return this.#isReleased
  }

  async #renew(): Promise<void> {
    // A storage that does not answer now may answer before the lease is over; then the next write says so.
    await this.#write(watermark => ({ ...watermark, lease: newLease(this.state) })).catch(() => undefined)
  }

  /** One after the other: each names what the one before it wrote. */
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
    const watermark = change(this.#current.watermark)
    try {
      this.#current = await writeWatermark(this.state.storage, this.targetPartition, { ...this.#current, watermark })
      return true
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
      this.#isLost = true
      return false
    }
  }
}
