/** How a target is written to at this moment. */

import type { UsedSetting } from '../../sink/tunables.js'
import { activePromotion, readPromotions } from '../../state/promotions.js'
import type { State } from '../../state/state.js'
import type { Target } from '../opening.js'

/** Looked up before each delivery: what is promoted while this runs is used by the next. */
export async function settingsNow(
  { storage }: State,
  { settings, registered, opener }: Target,
): Promise<readonly UsedSetting[] | undefined> {
  const promotions = registered === undefined ? [] : await readPromotions(storage, opener.id)
  return settings?.(activePromotion(promotions))
}
