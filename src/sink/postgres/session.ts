/** One connection to Postgres whose calls always end: with an answer, or with one clear error when it is lost. */
import { Socket } from 'node:net'
import type { QueryResult } from 'pg'
import { IngestError } from '../../errors.js'
import type { CopyTarget, SqlSession } from '../sql.js'
import type { PostgresClient } from './client.js'
import { copy } from './copy.js'
import { describeAddress } from './dsn.js'
import type { PostgresAddress } from './dsn.js'
import { interruptionOf, toIngestError } from './errors.js'

export type SessionOptions = {
  readonly client: PostgresClient
  readonly address: PostgresAddress
  readonly signal: AbortSignal | undefined
  readonly queryTimeoutMs: number
}

const CLOSE_TIMEOUT_MS = 2000

/** Make one call at a time. Once the connection is lost, every call rejects with the reason. */
export class PostgresSession implements SqlSession {
  readonly #client: PostgresClient
  readonly #socket: Socket
  readonly #address: PostgresAddress
  readonly #signal: AbortSignal | undefined
  readonly #queryTimeoutMs: number
  #lost: IngestError | undefined

  constructor({ client, address, signal, queryTimeoutMs }: SessionOptions) {
    this.#client = client
    this.#socket = socketOf(client)
    this.#address = address
    this.#signal = signal
    this.#queryTimeoutMs = queryTimeoutMs
    // pg reports a lost connection here, between calls as well; without a listener that ends the process.
    client.on('error', error => {
      this.#fail(toIngestError(error, address))
    })
    this.#socket.on('timeout', () => {
      const seconds = queryTimeoutMs / 1000
      this.#fail(new IngestError('target_unreachable', `${describeAddress(address)}: no answer for ${seconds} s`))
    })
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted) this.#onAbort()
  }

  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const results = await this.#run(text, () => this.#client.query<Row>(text, [...values]))
    return results.at(-1)?.rows ?? []
  }

  async execute(text: string): Promise<void> {
    await this.#run(text, () => this.#client.query(text))
  }

  async copyIn({ table, columns }: CopyTarget, data: Uint8Array): Promise<void> {
    const names = columns.map(column => this.#client.escapeIdentifier(column)).join(',')
    await this.#call(() =>
      copy(this.#client, `COPY ${this.#client.escapeIdentifier(table)} (${names}) FROM STDIN`, data),
    )
  }

  /** Says goodbye without waiting for the server's: what was committed has been acknowledged before. */
  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    if (this.#lost) return
    this.#lost = new IngestError('internal', 'the Postgres session was used after it was closed')
    setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS).unref()
    this.#socket.unref()
    void this.#client.end()
  }

  /** pg answers several statements with an array of results, though its types say one. */
  async #run<Row extends object>(text: string, send: () => Promise<QueryResult<Row>>): Promise<QueryResult<Row>[]> {
    const results = [await this.#call(send)].flat()
    // COMMIT of a failed transaction is no error to Postgres: it only answers with another tag.
    if (results.some(result => result.command === 'ROLLBACK') && !/\b(rollback|abort)\b/i.test(text)) {
      const where = describeAddress(this.#address)
      throw new IngestError('target_failed', `${where}: the transaction was rolled back: a statement in it had failed`)
    }
    return results
  }

  /** The timeout is on silence, not on duration: a long COPY is fine as long as bytes move. */
  async #call<T>(send: () => Promise<T>): Promise<T> {
    if (this.#lost) throw this.#lost
    this.#socket.setTimeout(this.#queryTimeoutMs)
    try {
      return await send()
    } catch (error) {
      throw this.#lost ?? toIngestError(error, this.#address)
    } finally {
      this.#socket.setTimeout(0)
    }
  }

  /** Closing the socket makes the server roll back and makes pg reject what is under way. */
  #fail(reason: IngestError): void {
    this.#lost ??= reason
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#socket.destroy()
  }

  readonly #onAbort = (): void => {
    this.#fail(interruptionOf(this.#signal))
  }
}

function socketOf(client: PostgresClient): Socket {
  const { stream } = client.connection
  if (stream instanceof Socket) return stream
  throw new IngestError('internal', 'pg has no network socket')
}
