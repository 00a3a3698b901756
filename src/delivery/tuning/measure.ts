/** Two settings against each other, in turns: times mean nothing but beside others of the same minute. */

import type { WriteSettings } from '../../sink/tunables.js'
import type { Measurements, TrialResult } from '../../state/trial.js'

export const PAIRS = 5
/** So much faster must a challenger be: less is what chance gives. */
export const MARGIN = 1.03
/** And in all of the pairs: by chance alone that happens once in 32 trials. */
const WINS = PAIRS

export type Contest = {
  readonly challenger: WriteSettings
  readonly champion: WriteSettings
  readonly records: number
  /** One delivery. @returns how long it took; undefined when it failed */
  readonly deliver: (settings: WriteSettings) => Promise<number | undefined>
  /** Asked between pairs. */
  readonly isOver: () => boolean
}

/** Who begins changes with each pair. */
export async function contest({ challenger, champion, records, deliver, isOver }: Contest): Promise<TrialResult> {
  const times: Record<'challenger' | 'champion', (number | undefined)[]> = { challenger: [], champion: [] }
  const sides = { challenger, champion }
  for (let pair = 0; pair < PAIRS && (pair === 0 || !isOver()); pair++) {
    const order = pair % 2 === 0 ? (['champion', 'challenger'] as const) : (['challenger', 'champion'] as const)
    for (const side of order) times[side].push(await deliver(sides[side]))
  }
  return {
    challenger: measured(times.challenger, records),
    champion: measured(times.champion, records),
    ...compared(times.challenger, times.champion),
  }
}

type Times = readonly (number | undefined)[]

function compared(challenger: Times, champion: Times): Pick<TrialResult, 'ratio' | 'won'> {
  const ratios = challenger.flatMap((ms, pair) => {
    const other = champion[pair]
    return ms === undefined || other === undefined ? [] : [other / ms]
  })
  const ratio = quantile(ratios, 0.5)
  return { ratio, won: ratio >= MARGIN && ratios.filter(one => one > 1).length >= WINS }
}

function measured(times: Times, records: number): Measurements {
  const whole = times.filter(ms => ms !== undefined)
  const p50Ms = quantile(whole, 0.5)
  return {
    deliveries: whole.length,
    errors: times.length - whole.length,
    rowsPerSecond: p50Ms === 0 ? 0 : Math.round((records * 1000) / p50Ms),
    p50Ms,
    p95Ms: quantile(whole, 0.95),
  }
}

/** The smallest value that so large a part of them does not exceed, to thousandths; 0 where there are none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  const value = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0
  return Math.round(value * 1000) / 1000
}
