/** The sink of every target that is a database. Targets differ only in how a session is opened. */

import { applyInVersion } from '../database/apply.js'
import { retryTools, retryTransaction } from '../database/retry-transaction.js'
import { SessionPool } from '../database/session-pool.js'
import type { ClosableSession } from '../database/session.js'
import type { RetryPolicy } from '../http/retry.js'
import type { Sink, SinkOpener } from './sink.js'

/** How the database of a target is opened. */
export type DatabaseTarget<Session extends ClosableSession> = Pick<SinkOpener, 'id' | 'description' | 'opensEarly'> & {
  /** Opens a session that is ready for writing. Called again when the session is lost. */
  readonly openSession: (signal: AbortSignal) => Promise<Session>
  /** Called after each delivery. */
  readonly afterWrite?: (session: Session) => Promise<void>
}

export type DatabaseSinkOptions = {
  readonly random: () => number
  /** How long to retry when the database is unreachable, counted from the first failure. Default: 60 seconds. */
  readonly retryDeadlineMs?: number | undefined
  /** Whether to roll every delivery back after doing all its work. */
  readonly rehearse?: boolean | undefined
}

export const RETRY_DEADLINE_MS = 60_000

const RECONNECT: RetryPolicy = { attempts: Infinity, baseDelayMs: 200, maxDelayMs: 5_000 }

/** Makes a database a target. */
export function databaseSink<Session extends ClosableSession>(
  { openSession, afterWrite, ...target }: DatabaseTarget<Session>,
  { random, retryDeadlineMs: deadlineMs = RETRY_DEADLINE_MS, rehearse }: DatabaseSinkOptions,
): SinkOpener {
  const open = async (signal: AbortSignal): Promise<Sink> => {
    const pool = new SessionPool(1, () => openSession(signal))
    const retry = { reconnect: { ...RECONNECT, deadlineMs }, tools: retryTools(random, signal) }
    // Opens the session now, so that an unusable database is reported before anything is sent to it.
    await retryTransaction(pool, async () => undefined, retry)
    return {
      write: (delivery, onRetry, settings) =>
        retryTransaction(
          pool,
          async session => {
            const options = { settings, rehearse, target: target.description }
            const receipt = await applyInVersion(session, delivery, options)
            await afterWrite?.(session)
            return receipt
          },
          retry,
          onRetry,
        ),
      close: () => pool.close(),
    }
  }
  return { ...target, readsRows: true, open }
}
