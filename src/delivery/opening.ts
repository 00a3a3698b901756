/** A sink that is being opened while something else is done, and is closed whatever became of both. */

import type { Sink, SinkOpener } from '../sink/sink.js'
import type { UsedSetting } from '../sink/tunables.js'
import type { Promotion } from '../state/promotions.js'

export type TargetName = 'server' | 'postgres' | 'embedded' | 'archive'

/** What an operator has registered a target as. */
export type Registered = {
  readonly name: string
  /** What state calls it: the id of its opener. */
  readonly identity: string
  readonly isRequired: boolean
  /** Of an archive. */
  readonly bucket?: string | undefined
}

export type Target = {
  /** Its sort. */
  readonly name: TargetName
  /** Absent for one that flags name. */
  readonly registered?: Registered
  readonly opener: SinkOpener
  /** How it is written to; absent: as its sink does by itself. */
  readonly settings?: SettingsOf
}

/** Asked before each delivery. @param promotion what is in force for a registered target */
export type SettingsOf = (promotion: Promotion | undefined) => readonly UsedSetting[]

/** What people call it. */
export function nameOf({ name, registered }: Pick<Target, 'name' | 'registered'>): string {
  return registered?.name ?? name
}

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

  /** The sink, opened now if it was not before. */
  sink(): Promise<Sink> {
    this.#wanted = true
    return this.#open()
  }

  /** Gives up what nobody asked for: bad input must not wait for a dead target. */
  async close(): Promise<void> {
    if (!this.#wanted) this.#abandon.abort()
    await this.#opened?.then(sink => sink.close()).catch(() => undefined)
  }

  #open(): Promise<Sink> {
    if (this.#opened === undefined) {
      this.#opened = this.target.opener.open(this.#abandon.signal)
      // Met by whoever asks for the sink; until then a failure must not count as unhandled.
      this.#opened.catch(() => undefined)
    }
    return this.#opened
  }
}
