/** The journal of a process that does not end: written soon after something failed, and merged now and then. */

import { openJournal } from '../../delivery/durable/journal-outcomes.js'
import { messageOf } from '../../errors.js'
import { redact } from '../../sink/redact.js'
import { compactJournal } from '../../state/journal-compact.js'
import type { Journal } from '../../state/journal.js'
import type { State } from '../../state/state.js'

const FIRST_DELAY_MS = 1_000
const MAX_DELAY_MS = 60_000
/** Each flush makes an object; a store that stays away must not make them for ever. */
const COMPACT_EVERY = 100

export class ServerJournal {
  /** What waits for the next flush. */
  readonly events: Journal
  readonly #state: State
  readonly #onProblem: (message: string) => void
  #timer: NodeJS.Timeout | undefined
  #delayMs = FIRST_DELAY_MS
  #flushes = 0

  /** @param onProblem told once when it cannot be written, and again only after it could */
  constructor(state: State, onProblem: (message: string) => void) {
    this.#state = state
    this.#onProblem = onProblem
    this.events = openJournal(state, 'serve')
  }

  /** Makes what waits durable before long; nobody waits for it. */
  soon(): void {
    if (this.events.waiting === 0 || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#flushOrSay()
    }, this.#delayMs)
    this.#timer.unref()
  }

  /** @returns how many events became durable now @throws {IngestError} of the storage: they wait on */
  async flush(): Promise<number> {
    const flushed = await this.events.flush()
    if (flushed > 0 && ++this.#flushes % COMPACT_EVERY === 0) await compactJournal(this.#state)
    return flushed
  }

  /** For who is about to read it: what waits becomes durable now, if it can. */
  async settle(): Promise<void> {
    await this.#flushOrSay()
  }

  /** The last flush; where it fails that is said, and nothing else. */
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
      this.soon()
    }
  }
}
