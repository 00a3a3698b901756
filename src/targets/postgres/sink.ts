/** The Postgres target (path B). */

import { setTimeout as sleep } from 'node:timers/promises'
import { IngestError } from '../../errors.js'
import { applyInVersion, toApplyOptions } from '../../database/apply.js'
import { CONFLICT_RETRY, withRetry, type Retry, type RetryPolicy, type RetryTools } from '../../http/retry.js'
import type { Sink, SinkOpener } from '../sink.js'
import { connectPostgres } from '../../database/postgres/connect.js'
import { describeAddress, postgresId, type PostgresAddress } from '../../database/postgres/dsn.js'
import { interruptionError, isRetryable, mayComeBack } from '../../database/postgres/errors.js'
import { assertRole, INGEST_ROLE, type RolePolicy } from '../../database/postgres/role.js'
import type { PostgresSession } from '../../database/postgres/session.js'

export type PostgresSinkOptions = {
  readonly random: () => number
  /** Which roles may write. Default: only `bench_ingest`. */
  readonly rolePolicy?: RolePolicy
  readonly onWarning?: (message: string) => void
  /** How long to retry when the server is unreachable, counted from the first failure. Default: 60 seconds. */
  readonly retryDeadlineMs?: number | undefined
  /** Whether to roll every delivery back after doing all its work. */
  readonly rehearse?: boolean | undefined
}

const RETRY_DEADLINE_MS = 60_000

const LOST_RETRY: RetryPolicy = { attempts: Infinity, baseDelayMs: 200, maxDelayMs: 5_000 }

/**
 * A Postgres database as a target. A delivery that fails by a deadlock, a serialization conflict or a lost connection is retried
 * from its start, on a new connection if necessary. This is safe even if the answer to COMMIT was lost: measurement ids prevent
 * duplicate rows, and records that were already written count as updated.
 */
export function postgresSink(address: PostgresAddress, options: PostgresSinkOptions): SinkOpener {
  return {
    id: postgresId(address),
    description: describeAddress(address),
    opensEarly: true,
    readsRows: true,
    open: signal =>
      openSink(new Writer(address, { ...options, signal }), {
        target: describeAddress(address),
        rehearse: options.rehearse === true,
      }),
  }
}

type SinkSettings = { readonly target: string; readonly rehearse: boolean }

async function openSink(writer: Writer, { target, rehearse }: SinkSettings): Promise<Sink> {
  await writer.open()
  return {
    async write(delivery, onRetry, settings) {
      const options = { ...toApplyOptions(settings), rehearse, target }
      return writer.run(session => applyInVersion(session, delivery, options), onRetry)
    },
    close: () => writer.close(),
  }
}

type WriterOptions = PostgresSinkOptions & { readonly signal: AbortSignal }

type OnRetry = (retry: Retry) => void

/** Owns the current connection and reconnects when it is lost. */
class Writer {
  readonly #address: PostgresAddress
  readonly #options: WriterOptions
  readonly #tools: RetryTools
  #session: PostgresSession | undefined
  #hasWarned = false

  constructor(address: PostgresAddress, options: WriterOptions) {
    const { signal, random } = options
    this.#address = address
    this.#options = options
    this.#tools = { random, sleep: delayMs => pause(delayMs, signal), now: () => performance.now() }
  }

  async open(): Promise<void> {
    await this.#retryWhileUnreachable(
      () => this.#connected(),
      () => undefined,
    )
  }

  async run<T>(work: (session: PostgresSession) => Promise<T>, onRetry: OnRetry): Promise<T> {
    const policy = { ...CONFLICT_RETRY, deadlineMs: this.#deadlineMs }
    const conflicts = { policy, tools: this.#tools, mayRetry: isRetryable, onRetry }
    return this.#retryWhileUnreachable(async () => {
      const session = await this.#connected()
      return withRetry(() => work(session), conflicts)
    }, onRetry)
  }

  async close(): Promise<void> {
    await this.#session?.close()
  }

  get #deadlineMs(): number {
    return this.#options.retryDeadlineMs ?? RETRY_DEADLINE_MS
  }

  async #retryWhileUnreachable<T>(work: () => Promise<T>, onRetry: OnRetry): Promise<T> {
    const deadlineMs = this.#deadlineMs
    let attempts = 1
    const counted = (retry: Retry): void => {
      attempts++
      onRetry(retry)
    }
    try {
      const policy = { ...LOST_RETRY, deadlineMs }
      return await withRetry(work, { policy, tools: this.#tools, mayRetry: mayComeBack, onRetry: counted })
    } catch (error) {
      throw attempts > 1 && mayComeBack(error) ? withAttempts(error, { attempts, deadlineMs }) : error
    }
  }

  async #connected(): Promise<PostgresSession> {
    if (this.#session?.isLost === false) return this.#session
    const { signal, rolePolicy = INGEST_ROLE } = this.#options
    const session = await connectPostgres(this.#address, { signal })
    try {
      await assertRole(session, rolePolicy, message => this.#warnOnce(message))
    } catch (error) {
      await session.close()
      throw error
    }
    return (this.#session = session)
  }

  #warnOnce(message: string): void {
    if (!this.#hasWarned) this.#options.onWarning?.(message)
    this.#hasWarned = true
  }
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal })
  } catch {
    throw interruptionError(signal)
  }
}

function withAttempts(
  error: IngestError,
  { attempts, deadlineMs }: { attempts: number; deadlineMs: number },
): IngestError {
  const message = `${error.message} (tried ${attempts} times in ${deadlineMs / 1000} s)`
  return new IngestError(error.code, message, { cause: error, ...(error.hint !== undefined && { hint: error.hint }) })
}
