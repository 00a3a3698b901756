/** Operator routes for the error journal and for the health of targets and buckets. */

import type { FastifyRequest } from 'fastify'
import { readHealth } from '../../state/health.js'
import { compactJournal, readJournal } from '../../state/journal.js'
import { journalEventDocument } from '../../state/journal-event.js'
import { healthDocument } from '../../state/target-overview.js'
import { countParameter, sinceParameter, textParameter } from '../read/parameters.js'
import type { OperatorAnswer, Operator, OperatorRoute } from './operator-route.js'

const EVENTS = { least: 1, most: 1_000, otherwise: 50 }
/** The journal holds at most 30 days. */
const MINUTES = { least: 1, most: 30 * 24 * 60, otherwise: 5 }

export function errorRoutes(operator: Operator): readonly OperatorRoute[] {
  const { state, journal } = operator
  return [
    {
      ...{ method: 'GET', url: '/storage/errors' },
      answer: ({ query }) => errors(operator, query),
    },
    {
      ...{ method: 'POST', url: '/storage/errors/flush' },
      answer: async () => ({ status: 200, body: { flushed: await journal.flush() } }),
    },
    {
      ...{ method: 'POST', url: '/storage/errors/compact' },
      answer: async () => {
        await journal.flush()
        return { status: 200, body: await compactJournal(state) }
      },
    },
    {
      ...{ method: 'GET', url: '/storage/bucket-health' },
      answer: ({ query }) => health(operator, query),
    },
  ]
}

async function errors({ state, journal }: Operator, query: FastifyRequest['query']): Promise<OperatorAnswer> {
  const name = textParameter(query, 'target')
  const since = sinceParameter(query, 'since', state.tools.now())
  const limit = countParameter(query, 'limit', EVENTS)
  const problems: string[] = []
  await journal.settle()
  const events = await readJournal(state.storage, { name, since, limit, onDamage: message => problems.push(message) })
  return { status: 200, body: { events: events.map(journalEventDocument), problems } }
}

async function health({ state, journal }: Operator, query: FastifyRequest['query']): Promise<OperatorAnswer> {
  const minutes = countParameter(query, 'minutes', MINUTES)
  const problems: string[] = []
  await journal.settle()
  const found = await readHealth(state, { minutes, onDamage: message => problems.push(message) })
  return { status: 200, body: { minutes, health: found.map(healthDocument), problems } }
}
