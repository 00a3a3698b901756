/** The distribution of a rank sum when all choices of ranks are equally likely. */

export type Tails = { readonly atMost: number; readonly atLeast: number }

/** Caches distributions by ranks and count, because most series have the same number of runtimes. */
export class RankDistributions {
  readonly #known = new Map<string, Float64Array>()

  /** The probabilities that the sum of `count` of the ranks is at most `sum` and at least `sum`. */
  tails(ranks: readonly number[], count: number, sum: number): Tails {
    const key = `${count}:${ranks.join()}`
    const ways = this.#known.get(key) ?? countWays(ranks, count)
    this.#known.set(key, ways)
    const all = total(ways)
    return { atMost: total(ways.subarray(0, sum + 1)) / all, atLeast: total(ways.subarray(sum)) / all }
  }
}

/**
 * For each sum, the number of ways to choose `count` ranks with that sum. Exact while the total number of ways is below
 * 2^53.
 */
function countWays(ranks: readonly number[], count: number): Float64Array {
  const most = ranks.reduce((sum, rank) => sum + rank, 0)
  const ways = Array.from({ length: count + 1 }, () => new Float64Array(most + 1))
  ways[0]![0] = 1
  for (const rank of ranks)
    // Iterates downwards, so that each rank is chosen at most once.
    for (let chosen = count; chosen > 0; chosen--) {
      const [to, from] = [ways[chosen]!, ways[chosen - 1]!]
      for (let sum = rank; sum <= most; sum++) to[sum]! += from[sum - rank]!
    }
  return ways[count]!
}

function total(ways: Float64Array): number {
  return ways.reduce((sum, way) => sum + way, 0)
}
