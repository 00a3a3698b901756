/** JSON of a promotion. */

import type { Promotion } from './promotions.js'

export function promotionDocument({ id, at, by, note, trial, settings, rolledBack }: Promotion): object {
  return { id, at, by, note: note ?? null, trial, settings, rolled_back: rolledBack ?? null }
}
