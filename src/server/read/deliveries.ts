/** `GET /api/deliveries`: where the values of a commit, of a group at a commit, or a single measurement come from. */

import type { FastifyInstance } from 'fastify'
import { hasCommit } from '../../database/queries/commits.js'
import {
  findMeasurement,
  mayReadDeliveries,
  readDeliveredSeries,
  readDeliveries,
} from '../../database/queries/deliveries.js'
import { groupSeriesFields, type MeasurementGroup } from '../../database/queries/groups.js'
import type { SqlSession } from '../../database/session.js'
import { toDeliveryEntry } from '../../delivery/lineage/lineage.js'
import type { DeliveriesAnswer } from './answers.js'
import { parseGroupSlug } from './groups.js'
import { BadParameter, idParameter, shasParameter, textParameter } from './parameters.js'
import type { ReadRouteOptions } from './routes.js'

type Asked = { readonly id: string } | { readonly commit: string; readonly group: MeasurementGroup | undefined }

export function addDeliveriesRoute(app: FastifyInstance, { store, memory }: ReadRouteOptions): void {
  app.get('/api/deliveries', async ({ query }, reply) => {
    const asked = deliveriesAsked(query)
    return memory.send(reply, async () => JSON.stringify(await store.read(session => readAnswer(session, asked))))
  })
}

function deliveriesAsked(query: unknown): Asked {
  const id = idParameter(query, 'id')
  if (id !== undefined) return { id }
  const [commit] = shasParameter(query, 'commit', 1) ?? []
  if (commit === undefined) throw new BadParameter('commit or id is missing')
  const slug = textParameter(query, 'group')
  const group = slug === undefined ? undefined : parseGroupSlug(slug)
  if (slug !== undefined && group === undefined) throw new BadParameter('group must be a slug of /api/groups')
  return { commit, group }
}

const NOTHING: DeliveriesAnswer = { recorded: true, commit: null, measurement: null, deliveries: [] }

async function readAnswer(session: SqlSession, asked: Asked): Promise<DeliveriesAnswer> {
  if (!(await mayReadDeliveries(session))) return { ...NOTHING, recorded: false }
  if ('id' in asked) return readOfMeasurement(session, asked.id)
  const { commit, group } = asked
  if (!(await hasCommit(session, commit))) return NOTHING
  const deliveries = (await readDeliveries(session, { commit })).map(toDeliveryEntry)
  if (group === undefined) return { ...NOTHING, commit, deliveries }
  const written = await readDeliveredSeries(session, commit, group)
  const ids = new Set(written.map(({ deliveryId }) => deliveryId))
  return {
    ...{ ...NOTHING, commit, deliveries: deliveries.filter(({ id }) => ids.has(id)) },
    dimensions: groupSeriesFields(group.kind).map(({ name }) => name),
    series: written.map(({ deliveryId, key }) => ({ delivery: deliveryId, key })),
  }
}

async function readOfMeasurement(session: SqlSession, id: string): Promise<DeliveriesAnswer> {
  const measurement = await findMeasurement(session, id)
  if (measurement === undefined) return NOTHING
  const { commit, kind } = measurement
  const deliveries = (await readDeliveries(session, { commit, measurement })).map(toDeliveryEntry)
  return { ...NOTHING, commit, measurement: { id, kind: kind.kind }, deliveries }
}
