/** A pool of sessions of one database. A lost session is replaced when one is next needed. */

import type { ClosableSession } from './session.js'
import { Slots } from './slots.js'

export class SessionPool<Session extends ClosableSession> {
  readonly #slots: Slots
  readonly #idle: Session[] = []

  constructor(
    readonly size: number,
    private readonly open: () => Promise<Session>,
  ) {
    this.#slots = new Slots(size)
  }

  /** Runs `work` with a session that is exclusive to it. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#slots.run(async () => {
      const session = this.#idle.pop() ?? (await this.open())
      try {
        const result = await work(session)
        this.#idle.push(session)
        return result
      } catch (error) {
        await this.#keepIfAlive(session)
        throw error
      }
    })
  }

  /** Waits for running work before closing, because an envelope may still be being applied after its client has disconnected. */
  async close(): Promise<void> {
    await this.#slots.empty()
    await Promise.all(this.#idle.splice(0).map(session => session.close()))
  }

  async #keepIfAlive(session: Session): Promise<void> {
    try {
      await session.query('SELECT 1')
      this.#idle.push(session)
    } catch {
      // The error of `work` is already being thrown. The idle sessions are closed too, because the same fault may have broken them.
      for (const lost of [session, ...this.#idle.splice(0)]) await lost.close().catch(() => undefined)
    }
  }
}
