/** A small cache for results that are expensive to compute. */

const KEPT = 4

/** @returns `find` with a cache of its last KEPT results */
export function lastFew<T>(find: (one: string, other: string) => T): (one: string, other: string) => T {
  const known = new Map<string, T>()
  return (one, other) => {
    const key = JSON.stringify([one, other])
    const found = known.get(key) ?? find(one, other)
    // Deleted and inserted again, so that the map is ordered by last use.
    known.delete(key)
    known.set(key, found)
    for (const oldest of known.keys()) if (known.size > KEPT) known.delete(oldest)
    return found
  }
}
