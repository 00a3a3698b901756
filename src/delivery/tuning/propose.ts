/** Which settings to try next: the same ones whenever the same have been tried. */

import { effectiveSettings, type DeliverySize, type Tunable, type WriteSettings } from '../../sink/tunables.js'
import { settingsKey, type Trial } from '../../state/trial.js'

/** How often it is tried far from what is best so far. */
export const EPSILON = 0.25

export type History = {
  readonly tunables: readonly Tunable[]
  /** All of the target, in their order. */
  readonly trials: readonly Trial[]
  /** What is in force. */
  readonly active: WriteSettings
  /** Of what is delivered. */
  readonly sample: DeliverySize
}

/** The settings to beat: those of the last trial that won, or else what is in force. */
export function championOf({ trials, active }: History): WriteSettings {
  return trials.findLast(({ result }) => result?.won === true)?.settings ?? active
}

/**
 * First the bounds of each setting by itself, then with a chance of `EPSILON` anything, else what is nearest to the
 * champion. Chance is seeded by the number of trials.
 * @returns undefined when all that makes a difference has been tried
 */
export function propose(history: History): WriteSettings | undefined {
  const { tunables, trials, active } = history
  const isNew = noveltyIn(history)
  const bound = boundsOf(tunables, active).find(isNew)
  if (bound !== undefined) return bound
  const left = allOf(tunables).filter(isNew)
  const random = seeded(trials.length)
  if (random() < EPSILON) return pick(left, random)
  return pick(nearest(left, championOf(history), tunables), random)
}

/** Whether something was never tried, and does not come to the same for this sample as what was. */
function noveltyIn(history: History): (settings: WriteSettings) => boolean {
  const { trials, active, sample } = history
  const effect = (settings: WriteSettings): string => settingsKey(effectiveSettings(settings, sample))
  const sidesOf = ({ settings, champion }: Trial): readonly WriteSettings[] => [settings, champion]
  const alike = trials.filter(trial => trial.sample.records === sample.records)
  const tried = new Set(trials.flatMap(sidesOf).map(settingsKey))
  const effects = new Set([active, championOf(history), ...alike.flatMap(sidesOf)].map(effect))
  return settings => !tried.has(settingsKey(settings)) && !effects.has(effect(settings))
}

/** What is in force with one setting at its lowest, then at its highest. */
function boundsOf(tunables: readonly Tunable[], active: WriteSettings): readonly WriteSettings[] {
  return tunables.flatMap(({ name, values }) =>
    [values[0]!, values.at(-1)!].map(value => ({ ...active, [name]: value })),
  )
}

function allOf(tunables: readonly Tunable[]): readonly WriteSettings[] {
  return tunables.reduce<readonly WriteSettings[]>(
    (some, { name, values }) => some.flatMap(settings => values.map(value => ({ ...settings, [name]: value }))),
    [{}],
  )
}

/** Those that the fewest steps lead to. */
function nearest(
  candidates: readonly WriteSettings[],
  from: WriteSettings,
  tunables: readonly Tunable[],
): readonly WriteSettings[] {
  const steps = candidates.map(to => tunables.reduce((sum, tunable) => sum + stepsBetween(tunable, from, to), 0))
  const fewest = Math.min(...steps)
  return candidates.filter((_, index) => steps[index] === fewest)
}

/** Over the values that are worth a try; one that is not among them stands at the next larger one. */
function stepsBetween({ name, values }: Tunable, from: WriteSettings, to: WriteSettings): number {
  const place = (settings: WriteSettings): number => values.filter(value => value < (settings[name] ?? 0)).length
  return Math.abs(place(from) - place(to))
}

function pick<T>(some: readonly T[], random: () => number): T | undefined {
  return some[Math.floor(random() * some.length)]
}

/** Mulberry32: a few operations, and even enough for this. @returns numbers from 0 to 1 */
export function seeded(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
