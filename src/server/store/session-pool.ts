/** Sessions of one database that take turns; one that was lost is replaced when it is next needed. */

import type { SqlSession } from '../../sink/sql.js'
import { Slots } from './slots.js'

export type ClosableSession = SqlSession & { close(): Promise<void> }

export class SessionPool<Session extends ClosableSession> {
  readonly #slots: Slots
  readonly #idle: Session[] = []

  constructor(
    readonly size: number,
    private readonly open: () => Promise<Session>,
  ) {
    this.#slots = new Slots(size)
  }

  /** Runs `work` with a session that nobody else uses meanwhile. */
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

  /** Waits for what is under way: a client may be gone, and what it sent still be applied. */
  async close(): Promise<void> {
    await this.#slots.empty()
    await Promise.all(this.#idle.splice(0).map(session => session.close()))
  }

  async #keepIfAlive(session: Session): Promise<void> {
    try {
      await session.query('SELECT 1')
      this.#idle.push(session)
    } catch {
      // Why it was lost has been told already. What took it may have taken the idle ones too.
      for (const lost of [session, ...this.#idle.splice(0)]) await lost.close().catch(() => undefined)
    }
  }
}
