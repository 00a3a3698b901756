/** The write settings of targets: those in force, and those of a command with their origin. */

import type { UsedSetting } from '../database/tunables.js'
import { activePromotion, readPromotions } from '../state/promotions.js'
import type { State } from '../state/state.js'
import type { TargetResult } from './result.js'
import type { Target } from './target.js'

export type ExplainedSettings = {
  readonly target: string
  readonly kind: string
  readonly settings: readonly UsedSetting[]
}

/** Reads the settings for the next delivery. Called before each delivery, so that a promotion takes effect with the next one. */
export async function settingsInForce(
  { settings, registered, opener }: Target,
  state: State,
): Promise<readonly UsedSetting[] | undefined> {
  const promotions = registered === undefined ? [] : await readPromotions(state.storage, opener.id)
  return settings?.(activePromotion(promotions))
}

/**
 * Per target the write settings of its last delivery. A target without a delivery has the settings of its next one.
 * Targets that were registered while the command ran come last.
 */
export async function explainSettings(
  targets: readonly Target[],
  results: readonly TargetResult[],
  state: State | undefined,
): Promise<readonly ExplainedSettings[]> {
  const explained: ExplainedSettings[] = []
  for (const target of targets) {
    const { name, kind } = target
    const used = results.find(result => result.name === name)?.settings
    explained.push({ target: name, kind, settings: used ?? (await nextSettings(target, state)) ?? [] })
  }
  const others = results.filter(({ name }) => targets.every(target => target.name !== name))
  return [...explained, ...others.map(({ name, kind, settings = [] }) => ({ target: name, kind, settings }))]
}

/** Undefined if the settings cannot be read, because the delivery has already reported that error. */
async function nextSettings(target: Target, state: State | undefined): Promise<readonly UsedSetting[] | undefined> {
  return state === undefined ? target.settings?.(undefined) : settingsInForce(target, state).catch(() => undefined)
}
