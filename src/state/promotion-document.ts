/** JSON of a promotion. */

import type { Promotion } from './promotions.js'
import type { PromotionReport } from '../reports/targets.js'

export function promotionDocument({ id, at, by, note, trial, settings, rolledBack }: Promotion): PromotionReport {
  return { id, at, by, note: note ?? null, trial, settings, rolled_back: rolledBack ?? null }
}
