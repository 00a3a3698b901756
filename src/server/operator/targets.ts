/** Operator routes for targets and their promoted settings. */

import { knownDocument, unregisteredDocuments, targetDocument, overviewTargets } from '../../state/target-overview.js'
import { textParameter } from '../read/parameters.js'
import { promotionDocuments } from './promotions.js'
import type { Operator, OperatorRoute } from './route.js'

export function targetRoutes({ state, journal }: Operator): readonly OperatorRoute[] {
  return [
    {
      ...{ method: 'GET', url: '/targets' },
      answer: async () => {
        await journal.settle()
        const overview = await overviewTargets(state)
        const targets = overview.targets.map(one => ({ ...targetDocument(one.target), ...knownDocument(one) }))
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
