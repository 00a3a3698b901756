/** Runs sides in turn and says what the runs had in common: medians, spreads and ratios pair by pair. */

/** One run of one side. */
export type Sample = {
  readonly wallMs: number
  /** User and system time of the process. */
  readonly cpuMs?: number
  /** Most memory the process held at once, in 10^6 bytes. */
  readonly rssMb?: number
}

export type Spread = { readonly median: number; readonly min: number; readonly max: number }

/** A side that is undefined cannot run here and has no samples. */
export type Sides<Side extends string> = Readonly<Record<Side, (() => Promise<Sample>) | undefined>>

/**
 * Runs A B A B …, so that whatever else the machine does meets all sides alike.
 * @param most of the rounds that a side takes part in: the first so many. Sides without a number are in all.
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

/** All of them are NaN where nothing was measured. */
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

/** Each run of one side over the run of the other side in the same round, as far as both have runs. */
export function pairRatios(of: readonly number[], to: readonly number[]): Spread {
  return spread(of.slice(0, to.length).map((value, round) => value / (to[round] ?? NaN)))
}

/** The most that any run held: a promise about memory holds for all of them. */
export function peakRssMb(samples: readonly Sample[]): number {
  return Math.max(...samples.map(({ rssMb = NaN }) => rssMb))
}
