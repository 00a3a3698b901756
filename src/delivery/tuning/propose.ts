/** Chooses the settings to try next. The choice is deterministic for a given history. */

import { effectiveSettings, type DeliverySize, type Tunable, type WriteSettings } from '../../database/tunables.js'
import { settingsKey, type Trial } from '../../state/trial.js'

/** Probability of trying random settings instead of neighbours of the champion. */
export const EPSILON = 0.25

export type History = {
  readonly tunables: readonly Tunable[]
  /** All trials of the target, oldest first. */
  readonly trials: readonly Trial[]
  /** The settings in force. */
  readonly active: WriteSettings
  /** The number of records and bytes of the sample file. */
  readonly sample: DeliverySize
}

/** The settings to beat: those of the last trial that won, otherwise the settings in force. */
export function championOf({ trials, active }: History): WriteSettings {
  return trials.findLast(({ result }) => result?.won === true)?.settings ?? active
}

/**
 * Proposes the minimum and maximum of each setting first. After that it proposes random settings with probability
 * `EPSILON`, otherwise
 * the untried ones closest to the champion. The random generator is seeded with the number of trials.
 * @returns undefined when all settings that make a difference have been tried
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

/**
 * Returns a predicate for settings that were never tried and have a different effect on this sample from those that
 * were.
 */
function noveltyIn(history: History): (settings: WriteSettings) => boolean {
  const { trials, active, sample } = history
  const effect = (settings: WriteSettings): string => settingsKey(effectiveSettings(settings, sample))
  const sidesOf = ({ settings, champion }: Trial): readonly WriteSettings[] => [settings, champion]
  const alike = trials.filter(trial => trial.sample.records === sample.records)
  const tried = new Set(trials.flatMap(sidesOf).map(settingsKey))
  const effects = new Set([active, championOf(history), ...alike.flatMap(sidesOf)].map(effect))
  return settings => !tried.has(settingsKey(settings)) && !effects.has(effect(settings))
}

/** The settings in force, with one setting at its minimum or maximum. */
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

/** The candidates with the fewest steps from the given settings. */
function nearest(
  candidates: readonly WriteSettings[],
  from: WriteSettings,
  tunables: readonly Tunable[],
): readonly WriteSettings[] {
  const steps = candidates.map(to => tunables.reduce((sum, tunable) => sum + stepsBetween(tunable, from, to), 0))
  const fewest = Math.min(...steps)
  return candidates.filter((_, index) => steps[index] === fewest)
}

/**
 * Number of steps between two values of a tunable, counted on its list of values. A value that is not listed counts as
 * the next
 * larger one.
 */
function stepsBetween({ name, values }: Tunable, from: WriteSettings, to: WriteSettings): number {
  const place = (settings: WriteSettings): number => values.filter(value => value < (settings[name] ?? 0)).length
  return Math.abs(place(from) - place(to))
}

function pick<T>(some: readonly T[], random: () => number): T | undefined {
  return some[Math.floor(random() * some.length)]
}

/**
 * The Mulberry32 pseudo-random generator, which is fast and even enough for this.
 * @returns a function that yields numbers from 0 (inclusive) to 1 (exclusive)
 */
export function seeded(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
