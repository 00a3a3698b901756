/** Tries something again when the reason it failed may be gone the next time. */

export type RetryPolicy = {
  /** Tries in all. */
  readonly attempts: number
  /** Upper bound of the first wait; it doubles with every try. */
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** No try begins later than this after the first failure. Default: never too late. */
  readonly deadlineMs?: number
}

export const CONFLICT_RETRY: RetryPolicy = { attempts: 10, baseDelayMs: 25, maxDelayMs: 2_000 }

export type RetryTools = {
  /** From 0 to 1. */
  readonly random: () => number
  readonly sleep: (delayMs: number) => Promise<void>
  /** Milliseconds of a clock that only goes forward. Default: the process's. */
  readonly clock?: () => number
}

export type Attempted<T> = { readonly value: T; readonly attempts: number }

/** Waits a random part of a growing delay between tries (full jitter), so that two losers do not meet again. */
export async function withRetry<T>(
  work: () => Promise<T>,
  mayPass: (error: unknown) => boolean,
  { policy, tools }: { readonly policy: RetryPolicy; readonly tools: RetryTools },
): Promise<Attempted<T>> {
  const { sleep, random, clock = () => performance.now() } = tools
  let failedAt: number | undefined
  for (let attempts = 1; ; attempts++) {
    try {
      return { value: await work(), attempts }
    } catch (error) {
      if (attempts >= policy.attempts || !mayPass(error)) throw error
      const now = clock()
      failedAt ??= now
      const delayMs = random() * Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempts - 1))
      if (now + delayMs - failedAt >= (policy.deadlineMs ?? Infinity)) throw error
      await sleep(delayMs)
    }
  }
}
