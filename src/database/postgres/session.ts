/** A Postgres session whose calls always end: with an answer, or with one clear error when the connection is lost. */

import { Socket } from 'node:net'
import type { QueryResult } from 'pg'
import { IngestError, sqlStateOf } from '../../errors.js'
import {
  copyStatement,
  interruptionError,
  isRolledBack,
  type CopyTarget,
  type SqlSession,
  type Statement,
} from '../session.js'
import { traced } from '../../http/wire-events.js'
import type { PostgresClient } from './client.js'
import { describeAddress, type PostgresAddress } from './dsn.js'
import { toPostgresError } from './errors.js'

/** The maximum time a call may wait without any byte in either direction; 0 waits forever. */
export type IdleLimits = {
  /** Limit while data waits to be sent. Default: 5 minutes. */
  readonly queryTimeoutMs: number
  /**
   * Limit while the server works on a complete request, which may take long for millions of rows or behind other writers.
   * Default: 1 hour. An unreachable machine is detected much sooner by TCP keep-alive.
   */
  readonly answerTimeoutMs: number
}

type SessionOptions = IdleLimits & {
  readonly client: PostgresClient
  readonly address: PostgresAddress
  readonly signal: AbortSignal | undefined
}

const CLOSE_TIMEOUT_MS = 2000

/** A session for one call at a time. Once the connection is lost, every call rejects with the reason. */
export class PostgresSession implements SqlSession {
  readonly #client: PostgresClient
  readonly #socket: Socket
  readonly #address: PostgresAddress
  readonly #signal: AbortSignal | undefined
  readonly #limits: IdleLimits
  #timerMs = 0
  /** The number of bytes moved at the last timeout, and the time in milliseconds for which it has not changed. */
  #idle = { bytesMoved: -1, ms: 0 }
  #lost: IngestError | undefined

  constructor({ client, address, signal, ...limits }: SessionOptions) {
    this.#client = client
    this.#socket = socketOf(client)
    this.#address = address
    this.#signal = signal
    this.#limits = limits
    // pg also reports a connection that is lost between calls. An error event without a listener would end the process.
    client.on('error', error => {
      this.#fail(toPostgresError(error, address))
    })
    this.#socket.on('timeout', this.#onIdle)
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted) this.#onAbort()
  }

  /** The database as named in messages, without secrets. */
  get description(): string {
    return describeAddress(this.#address)
  }

  /** Whether the connection is lost, so that a new session is needed. */
  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /** A parameter that the server reported by itself; undefined if it, or a pooler, does not report it. */
  parameter(name: string): string | undefined {
    return this.#client.parameters.get(name)
  }

  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const results = await this.#run(text, () => this.#client.query<Row>(text, [...values]))
    return results.at(-1)?.rows ?? []
  }

  async execute(text: string): Promise<readonly object[]> {
    const results = await this.#run<object>(text, () => this.#client.query(text))
    return results.at(-1)?.rows ?? []
  }

  async pipeline(statements: readonly Statement[]): Promise<readonly (readonly object[])[]> {
    const texts = statements.map(({ text }) => text).join(';')
    const results = await this.#run(texts, () => this.#sendTogether(statements))
    return results.map(({ rows }) => rows)
  }

  /** Sends statements as a pipeline. Pipelining is turned off afterwards, because COPY does not work in a pipeline. */
  async #sendTogether(statements: readonly Statement[]): Promise<readonly QueryResult<object>[]> {
    this.#client.sendAhead(true)
    try {
      const sent = statements.map(({ text, values = [] }) => this.#client.query<object>(text, [...values]))
      // Wait for the answers to all statements, also after a failed one, before the next call may begin.
      const settled = await Promise.allSettled(sent)
      const failed = settled.find(result => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
      return await Promise.all(sent)
    } finally {
      this.#client.sendAhead(false)
    }
  }

  async copyIn(target: CopyTarget, data: Uint8Array): Promise<void> {
    const { copyFromMemory } = await import('./copy-from-memory.js')
    await this.#call(() => copyFromMemory(this.#client, copyStatement(target, 'STDIN'), data))
  }

  /** Closes the connection without waiting for the server, because every commit was acknowledged before. */
  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    if (this.#lost) return
    this.#lost = new IngestError('internal', 'the Postgres session was used after it was closed')
    setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS).unref()
    this.#socket.unref()
    void this.#client.end()
  }

  /** Runs statements. pg returns an array of results for several statements, although its types say one result. */
  async #run<Row extends object>(
    text: string,
    send: () => Promise<QueryResult<Row> | readonly QueryResult<Row>[]>,
  ): Promise<QueryResult<Row>[]> {
    const results = [await this.#call(send)].flat()
    const tags = results.map(({ command }) => command)
    if (!isRolledBack(text, tags)) return results
    const message = `${this.description}: the transaction was rolled back: a statement in it had failed`
    throw new IngestError('target_failed', message)
  }

  /** Makes one call. The timeouts limit idle time, not duration, so a long COPY may run as long as bytes move. */
  async #call<T>(send: () => Promise<T>): Promise<T> {
    if (this.#lost) throw this.#lost
    this.#idle = { bytesMoved: -1, ms: 0 }
    this.#setIdleTimeout(this.#limits.queryTimeoutMs)
    try {
      return await traced({ operation: 'statement', endpoint: this.description }, send)
    } catch (error) {
      // An error from the server takes precedence over the lost connection, because it may be the reason for the loss.
      const lost = sqlStateOf(error) === undefined ? this.#lost : undefined
      const meant = lost ?? toPostgresError(error, this.#address)
      // A server that is stopping, or that became read-only in a failover, would refuse the same session again.
      if (meant.code === 'target_unreachable') this.#fail(meant)
      throw meant
    } finally {
      this.#setIdleTimeout(0)
    }
  }

  /** Closes the socket, so that the server rolls back and pg rejects running calls. */
  #fail(reason: IngestError): void {
    this.#lost ??= reason
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#socket.destroy()
  }

  /** Handles an idle timeout of the socket. The limit depends on whether the server still has data to receive. */
  readonly #onIdle = (): void => {
    const { queryTimeoutMs, answerTimeoutMs } = this.#limits
    const bytesMoved = this.#socket.bytesRead + this.#socket.bytesWritten
    this.#idle = { bytesMoved, ms: this.#timerMs + (bytesMoved === this.#idle.bytesMoved ? this.#idle.ms : 0) }
    const isServerWorking = this.#socket.writableLength === 0
    const leftMs = answerTimeoutMs === 0 ? Infinity : answerTimeoutMs - this.#idle.ms
    if (isServerWorking && leftMs > 0) return this.#setIdleTimeout(Math.min(queryTimeoutMs, leftMs))
    const problem = isServerWorking ? 'no answer' : 'nothing could be sent'
    const hint = 'check what the server is waiting for, then try again'
    const message = `${this.description}: ${problem} for ${this.#idle.ms / 1000} s`
    this.#fail(new IngestError('target_unreachable', message, { hint }))
  }

  #setIdleTimeout(ms: number): void {
    this.#timerMs = ms
    this.#socket.setTimeout(ms)
  }

  readonly #onAbort = (): void => {
    this.#fail(interruptionError(this.#signal))
  }
}

function socketOf(client: PostgresClient): Socket {
  const { stream } = client.connection
  if (stream instanceof Socket) return stream
  throw new IngestError('internal', 'pg has no network socket')
}
