/** Runs the sides of a benchmark in turn and computes medians, spreads and pairwise ratios. */

/** Measurements of one run of one side. */
export type Sample = {
  readonly wallMs: number
  /** User and system time of the process. */
  readonly cpuMs?: number
  /** Peak memory of the process in units of 10^6 bytes. */
  readonly rssMb?: number
}

export type Spread = { readonly median: number; readonly min: number; readonly max: number }

/** The runnable sides by name. A side that is undefined cannot run here and has no samples. */
export type Sides<Side extends string> = Readonly<Record<Side, (() => Promise<Sample>) | undefined>>

/**
 * Runs the sides in turn (A B A B …), so that other load on the machine affects all sides alike.
 * @param most for each side, the number of first rounds that it takes part in. Other sides take part in all rounds.
 */
export async function alternate<Side extends string>(
  runs: number,
  sides: Sides<Side>,
  most: Readonly<Record<string, number>> = {},
): Promise<Record<Side, readonly Sample[]>> {
  const names = Object.keys(sides) as Side[]
  const samples = Object.fromEntries(names.map(name => [name, [] as Sample[]])) as Record<Side, Sample[]>
  for (let run = 1; run <= runs; run++) {
    for (const name of names) {
      const side = sides[name]
      if (side === undefined || run > (most[name] ?? runs)) continue
      const sample = await side()
      samples[name].push(sample)
      console.error(`  run ${run} of ${runs}: ${name} ${(sample.wallMs / 1000).toFixed(3)} s`)
    }
  }
  return samples
}

/** Median, minimum and maximum. All are NaN when there are no values. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? NaN
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
  return { median, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN }
}

export function wallTimes(samples: readonly Sample[]): readonly number[] {
  return samples.map(({ wallMs }) => wallMs)
}

/** Ratio of one side to the other in each round, as far as both sides have runs. */
export function pairRatios(of: readonly number[], to: readonly number[]): Spread {
  return spread(of.slice(0, to.length).map((value, round) => value / (to[round] ?? NaN)))
}

/** The highest peak of all runs, because a promise about memory must hold for each of them. */
export function peakRssMb(samples: readonly Sample[]): number {
  return Math.max(...samples.map(({ rssMb = NaN }) => rssMb))
}
