/** Ratios of values. */

/** `head` divided by `base`; 1 when they are equal. Undefined when they differ and either is not positive. */
export function ratioOf(base: bigint, head: bigint): number | undefined {
  if (base === head) return 1
  return base > 0n && head > 0n ? Number(head) / Number(base) : undefined
}

/** The geometric mean, in which twice as large and half as large cancel out; undefined for an empty list. */
export function geometricMean(ratios: readonly number[]): number | undefined {
  if (ratios.length === 0) return undefined
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
}
