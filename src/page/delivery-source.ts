/** The deliveries that the values of a group at a commit come from. */

import type { DeliveriesAnswer } from '../server/read/answers.js'
import type { DeliveryEntry } from '../reports/lineage.js'
import { EVERY, MEAN } from './address.js'
import { fetchDeliveries } from './api.js'
import { seriesPlace } from './model/charted-group.js'

/** The deliveries of each series by its id. The mean over all panels may have several. */
export type SeriesDeliveries = ReadonlyMap<string, readonly DeliveryEntry[]>

/** The last answers, by group and commit. */
const known = new Map<string, Promise<DeliveriesAnswer>>()
const KEPT = 50

export async function deliveriesAt(slug: string, panel: string, sha: string): Promise<SeriesDeliveries> {
  const key = `${slug} ${sha}`
  const loading = known.get(key) ?? fetchDeliveries(slug, sha)
  known.set(key, loading)
  loading.catch(() => known.delete(key))
  for (const oldest of known.keys()) if (known.size > KEPT) known.delete(oldest)
  return deliveriesOfPanel(await loading, panel)
}

function deliveriesOfPanel(
  { deliveries, dimensions = [], series = [] }: DeliveriesAnswer,
  panel: string,
): SeriesDeliveries {
  const found = new Map<string, DeliveryEntry[]>()
  const byId = new Map(deliveries.map(delivery => [delivery.id, delivery]))
  for (const { delivery: id, key } of series) {
    const delivery = byId.get(id)
    const place = seriesPlace(dimensions, key)
    if (delivery === undefined || ![EVERY, MEAN, place.panel].includes(panel)) continue
    const name = panel === EVERY ? `${place.panel} · ${place.id}` : place.id
    const others = found.get(name) ?? []
    found.set(name, others.includes(delivery) ? others : [...others, delivery])
  }
  return found
}
