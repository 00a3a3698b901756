/** Ranks of two pooled samples. Equal values share the mean of their ranks. */

export type Ranked = {
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
export function midRanks(first: readonly bigint[], second: readonly bigint[]): Ranked {
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
