/** Records failures of the server's own store in the journal, under the name that the store has in the registry. */

import { IngestError, messageOf, sqlStateOf } from '../../errors.js'
import { redact } from '../../redact.js'
import { noteSuccess } from '../../state/health.js'
import { readRegistry } from '../../state/registry.js'
import type { State } from '../../state/state.js'
import type { Store } from '../store/store.js'
import type { ServerJournal } from './server-journal.js'

/** Name of a store that is not registered. */
const UNREGISTERED = 'store'
/** Minimum time between two notes of success, each of which overwrites one object. */
const SUCCESS_EVERY_MS = 60_000

export type StoreJournalOptions = {
  readonly state: State
  readonly journal: ServerJournal
  /** The target id of the store (`SinkOpener.id`). */
  readonly identity: string
  readonly onProblem: (message: string) => void
}

export class StoreJournal {
  #name = UNREGISTERED
  #isDown = false
  #successAt = -Infinity
  /** Notes that are still being written. */
  #work = Promise.resolve()

  constructor(private readonly options: StoreJournalOptions) {}

  /** Returns the same store with its write failures and successes noted. Writes do not wait for the notes. */
  watch(store: Store): Store {
    const { kind, description, isOrdered, sessions } = store
    return {
      ...{ kind, description, isOrdered, sessions },
      write: delivery => this.#noted('ingest', () => store.write(delivery)),
      change: work => this.#noted('accept', () => store.change(work)),
      read: work => store.read(work),
      close: () => store.close(),
    }
  }

  async #noted<T>(operation: string, write: () => Promise<T>): Promise<T> {
    try {
      const result = await write()
      this.#succeeded()
      return result
    } catch (error) {
      if (isStoreFailure(error)) this.#failed(operation, error)
      throw error
    }
  }

  /** Notes that the store is unreachable, once until a write succeeds, because health is requested often. */
  noteUnreachable(error: unknown): void {
    if (!this.#isDown) this.#failed('health', error)
  }

  async settled(): Promise<void> {
    await this.#work
  }

  #failed(operation: string, error: unknown): void {
    this.#isDown = true
    const { journal } = this.options
    this.#later(async () => {
      await this.#lookUp().catch(() => undefined)
      journal.events.record({ subject: 'target', name: this.#name, operation, error })
      journal.scheduleFlush()
    })
  }

  #succeeded(): void {
    const { state } = this.options
    const now = state.tools.now()
    if (!this.#isDown && now - this.#successAt < SUCCESS_EVERY_MS) return
    this.#isDown = false
    this.#successAt = now
    this.#later(async () => {
      await this.#lookUp()
      await noteSuccess(state, 'target', this.#name)
    })
  }

  /** Looks up the store's name each time, because an operator may register or remove it while the server runs. */
  async #lookUp(): Promise<void> {
    const { targets } = await readRegistry(this.options.state.storage)
    const found = [...targets.values()].find(({ identity }) => identity === this.options.identity)
    this.#name = found?.name ?? UNREGISTERED
  }

  #later(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => this.options.onProblem(redact(messageOf(error))))
  }
}

/** Whether the store caused the error, rather than invalid data from a client (SQLSTATE class 22) or the server's shutdown. */
function isStoreFailure(error: unknown): boolean {
  const isStopping = error instanceof IngestError && (error.code === 'terminated' || error.code === 'interrupted')
  return !isStopping && sqlStateOf(error)?.startsWith('22') !== true
}
