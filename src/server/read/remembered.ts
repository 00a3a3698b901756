/** Answers that take long to find are found again only when they may have changed. */

export type RememberOptions = {
  /** Goes up with every envelope that was applied. */
  readonly writes: () => number
  readonly now: () => Date
  /** How many answers are kept: the ones asked for last. */
  readonly most: number
}

/** Somebody else may write to the same database. */
const LAST_MS = 30_000

type Known<T> = { readonly answer: Promise<T>; readonly writes: number; readonly until: number }

/** @returns `find` with a memory; who asks for the same at the same time waits for one answer */
export function remembered<T>(
  find: (key: string) => Promise<T>,
  { writes, now, most }: RememberOptions,
): (key: string) => Promise<T> {
  const known = new Map<string, Known<T>>()
  const learn = (key: string, time: number): Known<T> => {
    const found = { answer: find(key), writes: writes(), until: time + LAST_MS }
    // A failure is told to who asked, and not remembered.
    found.answer.catch(() => known.get(key) === found && known.delete(key))
    return found
  }
  return key => {
    const time = now().getTime()
    const last = known.get(key)
    const isFresh = last !== undefined && last.writes === writes() && last.until >= time
    const kept = isFresh ? last : learn(key, time)
    // Out and in again: the oldest question comes first.
    known.delete(key)
    known.set(key, kept)
    for (const oldest of known.keys()) if (known.size > most) known.delete(oldest)
    return kept.answer
  }
}
