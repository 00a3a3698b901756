/** The one connection that the checks of a Postgres share, and get back when one of them has lost it. */

import { connectPostgres, type PostgresSession } from '../sink/postgres/connect.js'
import type { PostgresAddress } from '../sink/postgres/dsn.js'

/** Shorter than a check may take, so that a silent server ends the question and not the check. */
const SILENCE_MS = 8_000

export class Connection {
  readonly #address: PostgresAddress
  #session: PostgresSession | undefined

  constructor(address: PostgresAddress) {
    this.#address = address
  }

  /** @throws {IngestError} what a push would meet */
  async open(signal: AbortSignal): Promise<PostgresSession> {
    const limits = { queryTimeoutMs: SILENCE_MS, answerTimeoutMs: SILENCE_MS }
    return (this.#session = await connectPostgres(this.#address, { ...limits, signal }))
  }

  /** Undefined where nobody could log in before: that has been told. */
  async again(signal: AbortSignal): Promise<PostgresSession | undefined> {
    return this.#session?.isLost === true ? this.open(signal) : this.#session
  }

  async close(): Promise<void> {
    await this.#session?.close()
  }
}
