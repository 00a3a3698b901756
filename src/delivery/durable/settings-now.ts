/** The write settings that apply to a target now. */

import type { UsedSetting } from '../../database/tunables.js'
import { activePromotion, readPromotions } from '../../state/promotions.js'
import type { State } from '../../state/state.js'
import type { Target } from '../opening.js'

/** Reads the settings before each delivery, so that a promotion takes effect with the next one. */
export async function settingsNow(
  { storage }: State,
  { settings, registered, opener }: Target,
): Promise<readonly UsedSetting[] | undefined> {
  const promotions = registered === undefined ? [] : await readPromotions(storage, opener.id)
  return settings?.(activePromotion(promotions))
}
