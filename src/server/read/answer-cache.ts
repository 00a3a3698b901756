/** A cache for answers that are expensive to compute. An answer expires when it may have changed. */

export type AnswerCacheOptions = {
  /** Number of envelopes applied so far. A cached answer is stale when this number has grown. */
  readonly writes: () => number
  readonly now: () => Date
  /** Number of cached answers. The least recently requested one is evicted first. */
  readonly most: number
}

/** Time until an answer expires, because other processes may write to the same database. */
const LAST_MS = 30_000

type Known<T> = { readonly answer: Promise<T>; readonly writes: number; readonly until: number }

/** @returns `find` with a cache; concurrent calls with the same key share one answer */
export function cacheAnswers<T>(
  find: (key: string) => Promise<T>,
  { writes, now, most }: AnswerCacheOptions,
): (key: string) => Promise<T> {
  const known = new Map<string, Known<T>>()
  const learn = (key: string, time: number): Known<T> => {
    const found = { answer: find(key), writes: writes(), until: time + LAST_MS }
    // A failed answer is not cached.
    found.answer.catch(() => known.get(key) === found && known.delete(key))
    return found
  }
  return key => {
    const time = now().getTime()
    const last = known.get(key)
    const isFresh = last !== undefined && last.writes === writes() && last.until >= time
    const kept = isFresh ? last : learn(key, time)
    // Deleted and inserted again, so that the map is ordered by last use.
    known.delete(key)
    known.set(key, kept)
    for (const oldest of known.keys()) if (known.size > most) known.delete(oldest)
    return kept.answer
  }
}
