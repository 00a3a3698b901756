/** The connection shared by all checks of a Postgres target. It is opened again when a check has lost it. */

import { connectPostgres, type PostgresSession } from '../database/postgres/connect.js'
import type { PostgresAddress } from '../database/postgres/dsn.js'

/** Shorter than the timeout of a check, so that a server that does not answer fails the query, not the whole check. */
const SILENCE_MS = 8_000

export class Connection {
  readonly #address: PostgresAddress
  #session: PostgresSession | undefined

  constructor(address: PostgresAddress) {
    this.#address = address
  }

  /**
   * Connects and logs in.
   * @throws {IngestError} the error that a push would get
   */
  async open(signal: AbortSignal): Promise<PostgresSession> {
    const limits = { queryTimeoutMs: SILENCE_MS, answerTimeoutMs: SILENCE_MS }
    return (this.#session = await connectPostgres(this.#address, { ...limits, signal }))
  }

  /** The session, reconnected if it was lost. Undefined when the first login failed, which has been reported. */
  async again(signal: AbortSignal): Promise<PostgresSession | undefined> {
    return this.#session?.isLost === true ? this.open(signal) : this.#session
  }

  async close(): Promise<void> {
    await this.#session?.close()
  }
}
