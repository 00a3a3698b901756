/** Retries work that failed for a reason that may be temporary. */

export type RetryPolicy = {
  /** Maximum number of attempts, the first included. */
  readonly attempts: number
  /** Upper bound of the first wait. It doubles with every attempt. */
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** Time after the first failure from which on nothing is retried. Default: no limit. */
  readonly deadlineMs?: number
}

export type RetryTools = {
  /** Returns a number from 0 to 1. */
  readonly random: () => number
  readonly sleep: (delayMs: number) => Promise<void>
  /** A clock in milliseconds with any starting point. */
  readonly now: () => number
}

/** A failed attempt and the wait before the next one. Reported before the wait. */
export type Retry = { readonly error: unknown; readonly waitMs: number }

/** A retry with the time of the failure, in milliseconds since 1970. */
export type TimedRetry = Retry & { readonly at: number }

export type RetryOptions = {
  readonly policy: RetryPolicy
  readonly tools: RetryTools
  /** Whether another attempt may succeed. A number means yes, but not before that many milliseconds. */
  readonly mayRetry: (error: unknown) => boolean | number
  readonly onRetry: (retry: Retry) => void
}

/**
 * Runs `work` until it succeeds, must not be retried, or the policy is exhausted. Waits a random part of a growing delay
 * between attempts (full jitter), so that two writers that conflicted do not collide again.
 */
export async function withRetry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, tools, mayRetry, onRetry } = options
  let firstFailure: number | undefined
  for (let attempts = 1; ; attempts++) {
    try {
      return await work()
    } catch (error) {
      const retryable = mayRetry(error)
      if (retryable === false || attempts >= policy.attempts) throw error
      const now = tools.now()
      firstFailure ??= now
      const delayMs = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempts - 1))
      const waitMs = Math.max(tools.random() * delayMs, retryable === true ? 0 : retryable)
      if (now + waitMs > firstFailure + (policy.deadlineMs ?? Infinity)) throw error
      onRetry({ error, waitMs })
      await tools.sleep(waitMs)
    }
  }
}
