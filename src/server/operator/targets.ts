/** Operator routes for targets and their promoted settings. */

import {
  overviewDocument,
  unregisteredDocuments,
  targetDocument,
  overviewTargets,
} from '../../state/target-overview.js'
import { textParameter } from '../read/parameters.js'
import type { Operator, OperatorRoute } from './operator-route.js'
import { promotionDocument, activePromotion, readPromotions } from '../../state/promotions.js'
import { readRegistry } from '../../state/registry.js'
import type { State } from '../../state/state.js'
import { requireTarget } from '../../state/targets.js'

export function targetRoutes({ state, journal }: Operator): readonly OperatorRoute[] {
  return [
    {
      ...{ method: 'GET', url: '/targets' },
      answer: async () => {
        await journal.settle()
        const overview = await overviewTargets(state)
        const targets = overview.targets.map(one => ({ ...targetDocument(one.target), ...overviewDocument(one) }))
        const { problems } = overview
        return { status: 200, body: { targets, unregistered: unregisteredDocuments(overview), problems } }
      },
    },
    {
      ...{ method: 'GET', url: '/promotions' },
      answer: async ({ query }) => ({
        status: 200,
        body: { promotions: await promotionDocuments(state, textParameter(query, 'target')) },
      }),
    },
  ]
}

/**
 * Promotions grouped by target, the newest first within each target.
 * @param name restricts the result to this target
 * @throws {IngestError} `not_found`
 */
async function promotionDocuments({ storage }: State, name: string | undefined): Promise<readonly object[]> {
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
