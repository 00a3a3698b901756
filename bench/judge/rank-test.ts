/** The Mann-Whitney rank test, which tests whether the values of two samples are equally large. */

type RankTest = {
  /** The two-sided p-value. */
  readonly p: number
  /** 1 when the second sample has the larger values, -1 when it has the smaller ones. */
  readonly direction: -1 | 0 | 1
  readonly method: 'exact' | 'normal'
}

/** Up to this total number of values, the exact distribution is computed, with ties too. */
const MAX_EXACT = 24

/** Creates a test function, which caches the distributions it has computed. */
export function rankTester(): (first: readonly bigint[], second: readonly bigint[]) => RankTest {
  const distributions = new RankDistributions()
  return (first, second) => {
    const ranked = midRanks(first, second)
    const sizes = [first.length, second.length] as const
    const expected = second.length * (ranked.doubled.length + 1)
    const direction = Math.sign(ranked.doubledSum - expected) as RankTest['direction']
    if (ranked.doubled.length > MAX_EXACT) return { p: normalP(ranked, sizes), direction, method: 'normal' }
    const { atMost, atLeast } = distributions.tails(ranked.doubled, second.length, ranked.doubledSum)
    return { p: Math.min(1, 2 * Math.min(atMost, atLeast)), direction, method: 'exact' }
  }
}

/** The p-value by normal approximation, with tie and continuity corrections. */
function normalP({ doubled, doubledSum, ties }: Ranked, [first, second]: readonly [number, number]): number {
  const all = doubled.length
  const tied = ties.reduce((sum, tie) => sum + tie ** 3 - tie, 0)
  const variance = ((first * second) / 12) * (all + 1 - tied / (all * (all - 1)))
  if (variance <= 0) return 1
  const away = Math.abs(doubledSum - second * (all + 1)) / 2
  return Math.min(1, 2 * upperTail(Math.max(0, away - 0.5) / Math.sqrt(variance)))
}

/** Coefficients, from the constant term up, of a Chebyshev approximation of erfc (Numerical Recipes, `erfcc`). */
const COEFFICIENTS = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
]

/** The probability that a standard normal value exceeds `z`, with a relative error below 1.2e-7. */
function upperTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + x / 2)
  const exponent = COEFFICIENTS.reduceRight((sum, coefficient) => sum * t + coefficient, 0) - x * x
  const tail = (t * Math.exp(exponent)) / 2
  return z >= 0 ? tail : 1 - tail
}

/** The probabilities of the two tails of a distribution. */
type Tails = { readonly atMost: number; readonly atLeast: number }

/** Caches distributions by ranks and count, because most series have the same number of runtimes. */
class RankDistributions {
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

type Ranked = {
  /**
   * Twice the rank of every value of both samples, ascending. Shared ranks are multiples of a half, so doubled ranks
   * are integers.
   */
  readonly doubled: readonly number[]
  /** Sum of the doubled ranks of the second sample. */
  readonly doubledSum: number
  /** Number of values for each distinct rank. */
  readonly ties: readonly number[]
}

/** Ranks two samples. Values are compared as integers, because a double cannot represent every i64. */
function midRanks(first: readonly bigint[], second: readonly bigint[]): Ranked {
  const pooled = [...first.map(value => ({ value, own: 0 })), ...second.map(value => ({ value, own: 1 }))]
  pooled.sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0))
  const doubled: number[] = []
  const ties: number[] = []
  let doubledSum = 0
  for (let from = 0; from < pooled.length;) {
    let to = from + 1
    while (to < pooled.length && pooled[to]!.value === pooled[from]!.value) to++
    // Twice the mean of the ranks `from + 1` to `to`.
    const rank = from + 1 + to
    for (const { own } of pooled.slice(from, to)) {
      doubled.push(rank)
      doubledSum += own * rank
    }
    ties.push(to - from)
    from = to
  }
  return { doubled, doubledSum, ties }
}
