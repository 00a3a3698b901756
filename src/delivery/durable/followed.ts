/** A target on its way through one command: before each delivery it is looked at as it is registered by then. */

import type { Sink } from '../../sink/sink.js'
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

  /** @param opening a connection that was begun before; by default it is opened when there is something to deliver */
  constructor(
    private readonly state: State,
    target: Target,
    private readonly options: FollowedOptions & { readonly opening?: Opening | undefined },
  ) {
    this.#target = target
    this.#opening = options.opening ?? openLate(target, options.signal)
  }

  /** As it was last found. */
  get target(): Target {
    return this.#target
  }

  get isRemoved(): boolean {
    return this.#isRemoved
  }

  /**
   * Asked before each delivery: a target that flags name stays one; one that is registered anew in the same place, with
   * another token for example, is opened anew.
   * @returns false from when on it is registered no more
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
    // It may have been removed in between, and with it what state knows of it.
    await makeKnown(this.state, target)
    this.#target = target
    this.#opening = openLate(target, this.options.signal)
  }
}

function openLate({ opener, ...target }: Target, signal: AbortSignal): Opening {
  return new Opening({ ...target, opener: { ...opener, opensEarly: false } }, signal)
}
