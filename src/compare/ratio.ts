/** How many times as large. */

/** @returns undefined where a ratio says nothing: of what is not above zero, unless both are the same */
export function ratioOf(base: bigint, head: bigint): number | undefined {
  if (base === head) return 1
  return base > 0n && head > 0n ? Number(head) / Number(base) : undefined
}

/** The mean in which twice as large and half as large make up for each other. Of none: undefined. */
export function geometricMean(ratios: readonly number[]): number | undefined {
  if (ratios.length === 0) return undefined
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
}
