/** The promoted write settings of registered targets. */

import { promotionDocument, activePromotion, readPromotions } from '../../state/promotions.js'
import { readRegistry } from '../../state/registry.js'
import type { State } from '../../state/state.js'
import { requireTarget } from '../../state/targets.js'

/**
 * Promotions grouped by target, the newest first within each target.
 * @param name restricts the result to this target
 * @throws {IngestError} `not_found`
 */
export async function promotionDocuments({ storage }: State, name: string | undefined): Promise<readonly object[]> {
  const registry = await readRegistry(storage)
  const targets = name === undefined ? [...registry.targets.values()] : [requireTarget(registry, name)]
  const found = await Promise.all(
    targets.map(async ({ name, identity }) => {
      const promotions = await readPromotions(storage, identity)
      const active = activePromotion(promotions)
      return promotions.map(one => ({ target: name, active: one === active, ...promotionDocument(one) }))
    }),
  )
  return found.flat()
}
