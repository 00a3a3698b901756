/** Measures two write settings in alternation, because durations are only comparable with others of the same minute. */

import type { WriteSettings } from '../../database/tunables.js'
import type { Measurements, TrialResult } from '../../state/trial.js'

export const PAIRS = 5
/** Factor by which a challenger must be faster. Smaller differences are noise. */
export const MARGIN = 1.03
/** Number of pairs that a challenger must win: all of them, which chance alone produces once in 32 trials. */
const WINS = PAIRS

export type Contest = {
  readonly challenger: WriteSettings
  readonly champion: WriteSettings
  readonly records: number
  /**
   * Makes one delivery.
   * @returns the duration in milliseconds; undefined when the delivery failed
   */
  readonly deliver: (settings: WriteSettings) => Promise<number | undefined>
  /** Checked between pairs; true ends the contest early. */
  readonly isOver: () => boolean
}

/** Runs up to `PAIRS` pairs of deliveries. The side that goes first alternates. */
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

/**
 * The quantile of some values, by the nearest-rank method, rounded to thousandths; 0 for an empty list.
 * @param part from 0 to 1
 */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  const value = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0
  return Math.round(value * 1000) / 1000
}
