/** Retries transactions that failed by a conflict with other writers or by a lost connection. */

import { setTimeout as sleep } from 'node:timers/promises'
import { IngestError, sqlStateOf, systemCodeOf } from '../errors.js'
import { withRetry, type Retry, type RetryPolicy, type RetryTools } from '../http/retry.js'
import type { SessionPool } from './session-pool.js'
import { interruptionError, type ClosableSession } from './session.js'

const CONFLICT_RETRY: RetryPolicy = { attempts: 10, baseDelayMs: 25, maxDelayMs: 2_000 }

/** SQLSTATEs of a deadlock, a serialization failure and a lock timeout. */
const CONFLICTS = ['40P01', '40001', '55P03']

export type TransactionRetry = {
  /** How often and how long to reconnect when the database is unreachable. */
  readonly reconnect: RetryPolicy
  readonly tools: RetryTools
}

/** The clock and the wait of retries. Aborting the signal ends a wait. @param random returns a number from 0 to 1 */
export function retryTools(random: () => number, signal: AbortSignal): RetryTools {
  const pause = async (delayMs: number): Promise<void> => {
    try {
      await sleep(delayMs, undefined, { signal })
    } catch {
      throw interruptionError(signal)
    }
  }
  return { random, sleep: pause, now: () => performance.now() }
}

/**
 * Runs a whole transaction in a session of the pool. After a conflict it is repeated in the same session, after a lost connection
 * in a new one. Repeating a delivery is safe even if the answer to COMMIT was lost: measurement ids prevent duplicate rows, and
 * records that were already written count as updated.
 */
export async function retryTransaction<Session extends ClosableSession, T>(
  pool: SessionPool<Session>,
  work: (session: Session) => Promise<T>,
  { reconnect, tools }: TransactionRetry,
  onRetry: (retry: Retry) => void = () => undefined,
): Promise<T> {
  const { deadlineMs = Infinity } = reconnect
  const conflicts = { policy: { ...CONFLICT_RETRY, deadlineMs }, tools, mayRetry: isConflict, onRetry }
  let attempts = 1
  const onReconnect = (retry: Retry): void => {
    attempts++
    onRetry(retry)
  }
  try {
    const repeated = (): Promise<T> => pool.use(session => withRetry(() => work(session), conflicts))
    return await withRetry(repeated, { policy: reconnect, tools, mayRetry: mayComeBack, onRetry: onReconnect })
  } catch (error) {
    throw attempts > 1 && deadlineMs < Infinity && mayComeBack(error)
      ? withAttempts(error, attempts, deadlineMs)
      : error
  }
}

/** Whether the whole transaction should be repeated, because it conflicted with another writer. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.includes(sqlStateOf(error) ?? '')
}

/**
 * Whether reconnecting may help, because the server is stopping, starting, full, or lost by the network. A host name that does
 * not exist is a mistake, so reconnecting does not help.
 */
export function mayComeBack(error: unknown): error is IngestError {
  if (!(error instanceof IngestError) || error.code !== 'target_unreachable') return false
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (systemCodeOf(cause) === 'ENOTFOUND') return false
  return true
}

function withAttempts(error: IngestError, attempts: number, deadlineMs: number): IngestError {
  const message = `${error.message} (tried ${attempts} times in ${deadlineMs / 1000} s)`
  return new IngestError(error.code, message, { cause: error, ...(error.hint !== undefined && { hint: error.hint }) })
}
