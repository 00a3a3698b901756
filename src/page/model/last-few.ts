/** Answers that are asked for again and again, and take long to find. */

const KEPT = 4

/** @returns `find`, which remembers what it found for the last few questions */
export function lastFew<T>(find: (one: string, other: string) => T): (one: string, other: string) => T {
  const known = new Map<string, T>()
  return (one, other) => {
    const key = JSON.stringify([one, other])
    const found = known.get(key) ?? find(one, other)
    // Out and in again: the oldest question comes first.
    known.delete(key)
    known.set(key, found)
    for (const oldest of known.keys()) if (known.size > KEPT) known.delete(oldest)
    return found
  }
}
