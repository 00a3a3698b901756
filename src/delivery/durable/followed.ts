/**
 * A target during one command. Its registration is checked before each delivery, because an operator may change or
 * remove it.
 */

import type { Sink } from '../../targets/sink.js'
import type { State } from '../../state/state.js'
import { Opening, type Target } from '../opening.js'
import { makeKnown } from './make-known.js'
import type { TargetsNow } from './registrations.js'

export type FollowedOptions = {
  readonly now: TargetsNow | undefined
  readonly signal: AbortSignal
}

export class Followed {
  #target: Target
  #opening: Opening
  #isRemoved = false

  /**
   * @param options `opening` is a connection that is already being opened; without it, the target is opened at its
   * first delivery
   */
  constructor(
    private readonly state: State,
    target: Target,
    private readonly options: FollowedOptions & { readonly opening?: Opening | undefined },
  ) {
    this.#target = target
    this.#opening = options.opening ?? openLate(target, options.signal)
  }

  /** The target as of the last check. */
  get target(): Target {
    return this.#target
  }

  get isRemoved(): boolean {
    return this.#isRemoved
  }

  /**
   * Checks the registration before a delivery. A target given by flags is always wanted. A target that was registered
   * again in the
   * same place, for example with a new token, is opened again.
   * @returns false once the target is no longer registered
   * @throws {IngestError} when the registry cannot be read
   */
  async isWanted(): Promise<boolean> {
    const { now } = this.options
    if (now === undefined || this.#target.registered === undefined) return true
    if (this.#isRemoved) return false
    const found = (await now(this.state.storage)).find(({ opener }) => opener.id === this.#target.opener.id)
    this.#isRemoved = found === undefined
    if (found !== undefined && found !== this.#target) await this.#become(found)
    return !this.#isRemoved
  }

  sink(): Promise<Sink> {
    return this.#opening.sink()
  }

  async close(): Promise<void> {
    await this.#opening.close()
  }

  async #become(target: Target): Promise<void> {
    await this.#opening.close()
    // The target may have been removed and registered again, which deletes what the state recorded about it.
    await makeKnown(this.state, target)
    this.#target = target
    this.#opening = openLate(target, this.options.signal)
  }
}

function openLate({ opener, ...target }: Target, signal: AbortSignal): Opening {
  return new Opening({ ...target, opener: { ...opener, opensEarly: false } }, signal)
}
