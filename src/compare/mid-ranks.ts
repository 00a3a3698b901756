/** Ranks of two pooled samples, ties sharing theirs. */

export type Ranked = {
  /** Twice the rank of every value of both samples, ascending: a shared rank is a half at worst, so these are integers. */
  readonly doubled: readonly number[]
  /** The sum over the second sample alone. */
  readonly doubledSum: number
  /** How many values share each rank. */
  readonly ties: readonly number[]
}

/** @param first compared as integers, digit for digit: no double holds every i64 */
export function midRanks(first: readonly bigint[], second: readonly bigint[]): Ranked {
  const pooled = [...first.map(value => ({ value, own: 0 })), ...second.map(value => ({ value, own: 1 }))]
  pooled.sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0))
  const doubled: number[] = []
  const ties: number[] = []
  let doubledSum = 0
  for (let from = 0; from < pooled.length;) {
    let to = from + 1
    while (to < pooled.length && pooled[to]!.value === pooled[from]!.value) to++
    // Ranks from + 1 to `to`: their mean, twice.
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
