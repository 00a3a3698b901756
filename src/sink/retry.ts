/** Tries something again when the reason it failed may be gone the next time. */

export type RetryPolicy = {
  /** Tries in all. */
  readonly attempts: number
  /** Upper bound of the first wait; it doubles with every try. */
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** Nothing is tried again so long after the first try failed. Default: never too late. */
  readonly deadlineMs?: number
}

export const CONFLICT_RETRY: RetryPolicy = { attempts: 10, baseDelayMs: 25, maxDelayMs: 2_000 }

export type RetryTools = {
  /** From 0 to 1. */
  readonly random: () => number
  readonly sleep: (delayMs: number) => Promise<void>
  /** In milliseconds, from any moment on. */
  readonly now: () => number
}

/** What failed and for how long it is let alone; told before the wait. */
export type Retry = { readonly error: unknown; readonly waitMs: number }

/** @param at when it failed, milliseconds since 1970 */
export type TimedRetry = Retry & { readonly at: number }

export type RetryOptions = {
  readonly policy: RetryPolicy
  readonly tools: RetryTools
  /** Whether the reason may be gone the next time; a number when that is known not to be so before that many ms. */
  readonly mayRetry: (error: unknown) => boolean | number
  readonly onRetry: (retry: Retry) => void
}

/** Waits a random part of a growing delay between tries (full jitter), so that two losers do not meet again. */
export async function withRetry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, tools, mayRetry, onRetry } = options
  let firstFailure: number | undefined
  for (let attempts = 1; ; attempts++) {
    try {
      return await work()
    } catch (error) {
      const passes = mayRetry(error)
      if (passes === false || attempts >= policy.attempts) throw error
      const now = tools.now()
      firstFailure ??= now
      const delayMs = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempts - 1))
      const waitMs = Math.max(tools.random() * delayMs, passes === true ? 0 : passes)
      if (now + waitMs > firstFailure + (policy.deadlineMs ?? Infinity)) throw error
      onRetry({ error, waitMs })
      await tools.sleep(waitMs)
    }
  }
}
