/** A pool of sessions of one database: replaces lost sessions, and retries transactions. */

import { setTimeout as sleep } from 'node:timers/promises'
import { IngestError, sqlStateOf, systemCodeOf } from '../errors.js'
import { withRetry, type Retry, type RetryPolicy, type RetryTools } from '../http/retry.js'
import { interruptionError, type ClosableSession } from './session.js'
import { monotonicMs } from '../monotonic-time.js'

export type PoolOptions<Session extends ClosableSession> = {
  /** Number of sessions that may be open at once. */
  readonly size: number
  /** Opens a session. Called when one is needed, also after one was lost. */
  readonly open: () => Promise<Session>
  /** Default: transactions are not retried. */
  readonly retry?: TransactionRetry | undefined
}

type TransactionRetry = {
  /** How often and how long to reconnect when the database is unreachable. */
  readonly reconnect: RetryPolicy
  readonly tools: RetryTools
}

/** Retries of transactions that conflicted with another writer. */
const CONFLICT_RETRY: RetryPolicy = { attempts: 10, baseDelayMs: 25, maxDelayMs: 2_000 }

/** SQLSTATEs of a deadlock, a serialization failure and a lock timeout. */
const CONFLICTS = ['40P01', '40001', '55P03']

export class SessionPool<Session extends ClosableSession> {
  readonly size: number
  readonly #slots: Slots
  readonly #idle: Session[] = []
  readonly #options: PoolOptions<Session>

  constructor(options: PoolOptions<Session>) {
    this.size = options.size
    this.#slots = new Slots(options.size)
    this.#options = options
  }

  /** Runs `work` with a session that is exclusive to it. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#slots.run(async () => {
      const session = this.#idle.pop() ?? (await this.#options.open())
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

  /**
   * Runs a whole transaction. After a conflict it is repeated in the same session, after a lost connection in a new one. Repeating
   * a delivery is safe even if the answer to COMMIT was lost: measurement ids prevent duplicate rows, and records that were already
   * written count as updated.
   */
  async transact<T>(
    work: (session: Session) => Promise<T>,
    onRetry: (retry: Retry) => void = () => undefined,
  ): Promise<T> {
    const { retry } = this.#options
    if (retry === undefined) return this.use(work)
    const { reconnect, tools } = retry
    const { deadlineMs = Infinity } = reconnect
    const conflicts = { policy: { ...CONFLICT_RETRY, deadlineMs }, tools, mayRetry: isConflict, onRetry }
    let attempts = 1
    const onReconnect = (retry: Retry): void => {
      attempts++
      onRetry(retry)
    }
    try {
      const repeated = (): Promise<T> => this.use(session => withRetry(() => work(session), conflicts))
      return await withRetry(repeated, { policy: reconnect, tools, mayRetry: isReconnectable, onRetry: onReconnect })
    } catch (error) {
      if (attempts === 1 || deadlineMs === Infinity || !isReconnectable(error)) throw error
      const message = `${error.message} (tried ${attempts} times in ${deadlineMs / 1000} s)`
      const hint = error.hint === undefined ? {} : { hint: error.hint }
      throw new IngestError(error.code, message, { cause: error, ...hint })
    }
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

/** The clock and the waits of retries. Aborting the signal ends a wait. @param random returns a number from 0 to 1 */
export function retryTools(random: () => number, signal: AbortSignal): RetryTools {
  const pause = async (delayMs: number): Promise<void> => {
    try {
      await sleep(delayMs, undefined, { signal })
    } catch {
      throw interruptionError(signal)
    }
  }
  return { random, sleep: pause, now: monotonicMs }
}

/** Whether a whole transaction should be repeated, because it conflicted with another writer. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.includes(sqlStateOf(error) ?? '')
}

/**
 * Whether reconnecting may help, because the server is stopping, starting, full or unreachable. A host name that does
 * not exist is a mistake, so reconnecting does not help.
 */
export function isReconnectable(error: unknown): error is IngestError {
  if (!(error instanceof IngestError) || error.code !== 'target_unreachable') return false
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (systemCodeOf(cause) === 'ENOTFOUND') return false
  return true
}

/** Limits concurrency: at most `size` tasks run at once, the others wait in order of arrival. */
export class Slots {
  readonly #waiting: (() => void)[] = []
  readonly #leaving: (() => void)[] = []
  #free: number

  constructor(readonly size: number) {
    this.#free = size
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      // The slot is handed to the next waiting task instead of being freed, so that a new task cannot overtake it.
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
      if (this.#free === this.size) for (const leave of this.#leaving.splice(0)) leave()
    }
  }

  /** Resolves when no task is running. */
  async empty(): Promise<void> {
    if (this.#free < this.size) await new Promise<void>(resolve => this.#leaving.push(resolve))
  }
}
