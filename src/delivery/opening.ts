/** Opens a sink in the background and guarantees that it is closed. */

import type { Sink, SinkOpener } from '../targets/sink.js'
import type { UsedSetting } from '../database/tunables.js'
import type { Promotion } from '../state/promotions.js'

/** The registration of a target. */
export type Registered = {
  readonly isRequired: boolean
  /** The bucket of an archive; undefined for other kinds. */
  readonly bucket?: string | undefined
}

export type Target = {
  /** The registered name; for a target given by flags its kind. */
  readonly name: string
  /** The target kind. */
  readonly kind: string
  /** Absent for a target given by flags. */
  readonly registered?: Registered
  /** Opens the target and has its id. */
  readonly opener: SinkOpener
  /** The write settings; absent to use the sink's defaults. */
  readonly settings?: SettingsOf
}

/**
 * Returns the write settings for the next delivery.
 * @param promotion the promotion in force for a registered target
 */
export type SettingsOf = (promotion: Promotion | undefined) => readonly UsedSetting[]

export class Opening {
  readonly target: Target
  readonly #abandon = new AbortController()
  #opened: Promise<Sink> | undefined
  #wanted = false

  constructor(target: Target, signal: AbortSignal) {
    this.target = target
    if (signal.aborted) this.#abandon.abort(signal.reason)
    signal.addEventListener('abort', () => this.#abandon.abort(signal.reason), { once: true })
    if (target.opener.opensEarly) void this.#open()
  }

  /** The sink. Opens it unless it is already being opened. */
  sink(): Promise<Sink> {
    this.#wanted = true
    return this.#open()
  }

  /**
   * Closes the sink. If nobody asked for it, opening is aborted, because bad input must not wait for an unreachable
   * target.
   */
  async close(): Promise<void> {
    if (!this.#wanted) this.#abandon.abort()
    await this.#opened?.then(sink => sink.close()).catch(() => undefined)
  }

  #open(): Promise<Sink> {
    if (this.#opened === undefined) {
      this.#opened = this.target.opener.open(this.#abandon.signal)
      // Reported to the caller of `sink()`; until then the rejection must not count as unhandled.
      this.#opened.catch(() => undefined)
    }
    return this.#opened
  }
}
