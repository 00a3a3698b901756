/** How a rank sum is distributed when every choice of ranks is as likely as any other. */

export type Tails = { readonly atMost: number; readonly atLeast: number }

/** The distribution for one set of ranks, asked again and again: most series have as many runtimes as the others. */
export class RankDistributions {
  readonly #known = new Map<string, Float64Array>()

  /** Probabilities of a sum of at most and of at least `sum`, of `count` of the ranks. */
  tails(ranks: readonly number[], count: number, sum: number): Tails {
    const key = `${count}:${ranks.join()}`
    const ways = this.#known.get(key) ?? countWays(ranks, count)
    this.#known.set(key, ways)
    const all = total(ways)
    return { atMost: total(ways.subarray(0, sum + 1)) / all, atLeast: total(ways.subarray(sum)) / all }
  }
}

/** In how many ways `count` of the ranks add up to each sum: exact as long as all ways together are below 2^53. */
function countWays(ranks: readonly number[], count: number): Float64Array {
  const most = ranks.reduce((sum, rank) => sum + rank, 0)
  const ways = Array.from({ length: count + 1 }, () => new Float64Array(most + 1))
  ways[0]![0] = 1
  for (const rank of ranks)
    // From the largest choice down, so that no rank is chosen twice.
    for (let chosen = count; chosen > 0; chosen--) {
      const [to, from] = [ways[chosen]!, ways[chosen - 1]!]
      for (let sum = rank; sum <= most; sum++) to[sum]! += from[sum - rank]!
    }
  return ways[count]!
}

function total(ways: Float64Array): number {
  return ways.reduce((sum, way) => sum + way, 0)
}
