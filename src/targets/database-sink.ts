/** The sink of every target that is a database. Targets differ only in how a session is opened. */

import { applyInVersion } from '../database/apply.js'
import { retryTools, SessionPool } from '../database/session-pool.js'
import type { ClosableSession } from '../database/session.js'
import type { RetryPolicy } from '../http/retry.js'
import type { Sink, SinkOpener } from './sink.js'

/** How the database of a target is opened. */
export type SinkDatabase<Session extends ClosableSession> = Pick<SinkOpener, 'id' | 'description' | 'opensEarly'> & {
  /** Opens a session that is ready for writing. Called again when the session is lost. */
  readonly openSession: (signal: AbortSignal) => Promise<Session>
  /** Called after each delivery. */
  readonly afterWrite?: (session: Session) => Promise<void>
}

export type DatabaseSinkOptions = {
  /** Whether to roll every delivery back after doing all its work. */
  readonly rehearse?: boolean | undefined
  /** Returns a number from 0 to 1, for the waits between retries. Default: nothing is retried. */
  readonly random?: () => number
  /** How long to retry when the database is unreachable, counted from the first failure. Default: 60 seconds. */
  readonly retryDeadlineMs?: number | undefined
}

const RETRY_DEADLINE_MS = 60_000

const RECONNECT: RetryPolicy = { attempts: Infinity, baseDelayMs: 200, maxDelayMs: 5_000 }

/** Makes a database a target. */
export function databaseSink<Session extends ClosableSession>(
  { openSession, afterWrite, ...target }: SinkDatabase<Session>,
  { random, retryDeadlineMs: deadlineMs = RETRY_DEADLINE_MS, rehearse }: DatabaseSinkOptions,
): SinkOpener {
  const open = async (signal: AbortSignal): Promise<Sink> => {
    const retry = random && { reconnect: { ...RECONNECT, deadlineMs }, tools: retryTools(random, signal) }
    const pool = new SessionPool({ size: 1, open: () => openSession(signal), retry })
    // Opens the session now, so that an unusable database is reported before anything is sent to it.
    await pool.transact(async () => undefined)
    return {
      write: (delivery, onRetry, settings) =>
        pool.transact(async session => {
          const options = { settings, rehearse, target: target.description }
          const receipt = await applyInVersion(session, delivery, options)
          await afterWrite?.(session)
          return receipt
        }, onRetry),
      close: () => pool.close(),
    }
  }
  return { ...target, readsRows: true, open }
}
