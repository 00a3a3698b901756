/** The error journal of a long-running server: flushed shortly after a failure and compacted from time to time. */

import { openJournal } from '../../delivery/durable/delivery-journal.js'
import { messageOf } from '../../errors.js'
import { redact } from '../../redact.js'
import { compactJournal, type Journal } from '../../state/journal.js'
import type { State } from '../../state/state.js'

const FIRST_DELAY_MS = 1_000
const MAX_DELAY_MS = 60_000
/** Number of flushes between two compactions. Each flush writes an object, so a store that stays down would pile up objects. */
const COMPACT_EVERY = 100

export class ServerJournal {
  /** Events that have not been flushed yet. */
  readonly events: Journal
  readonly #state: State
  readonly #onProblem: (message: string) => void
  #timer: NodeJS.Timeout | undefined
  #delayMs = FIRST_DELAY_MS
  #flushes = 0

  /** @param onProblem called when a flush fails; not called again until a flush has succeeded */
  constructor(state: State, onProblem: (message: string) => void) {
    this.#state = state
    this.#onProblem = onProblem
    this.events = openJournal(state, 'serve')
  }

  /** Schedules a flush of the waiting events. Does not wait for it. */
  scheduleFlush(): void {
    if (this.events.waiting === 0 || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#flushOrSay()
    }, this.#delayMs)
    this.#timer.unref()
  }

  /**
   * @returns the number of events that were written
   * @throws {IngestError} when the storage fails; the events stay queued for the next flush
   */
  async flush(): Promise<number> {
    const flushed = await this.events.flush()
    if (flushed > 0 && ++this.#flushes % COMPACT_EVERY === 0) await compactJournal(this.#state)
    return flushed
  }

  /** Tries to write the waiting events, so that a reader of the journal sees them. Reports failures and never throws. */
  async settle(): Promise<void> {
    await this.#flushOrSay()
  }

  /** Flushes for the last time. A failure is reported and not thrown. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#flushOrSay()
    clearTimeout(this.#timer)
  }

  async #flushOrSay(): Promise<void> {
    try {
      await this.flush()
      this.#delayMs = FIRST_DELAY_MS
    } catch (error) {
      if (this.#delayMs === FIRST_DELAY_MS)
        this.#onProblem(`the journal could not be written: ${redact(messageOf(error))}`)
      this.#delayMs = Math.min(this.#delayMs * 2, MAX_DELAY_MS)
      this.scheduleFlush()
    }
  }
}
