/** Reads the stored rows of a server for `verify`, through its read routes (docs/server.md). */

import { SCHEMA_VERSION } from '../contract/kinds.js'
import { statedVersion, statesOrdering, VERSION_ROUTE } from '../targets/server/server-version.js'
import type { StoredRow } from '../database/queries/rows.js'
import { idOf, openReadApi, type ReadApiOptions } from './read-api.js'
import type { StoredRows } from './stored-rows.js'

/** Number of ids per request: a request line of this length is accepted by every server and proxy. */
const IDS_PER_REQUEST = 200

export async function serverRows(options: ReadApiOptions): Promise<StoredRows & { close(): void }> {
  const api = await openReadApi(options)
  return {
    // A server that does not state its version counts as the newest. Its rows show which fields it lacks.
    version: async () => statedVersion(await api.ask(VERSION_ROUTE)) ?? SCHEMA_VERSION,
    isOrdered: async () => statesOrdering(await api.ask(VERSION_ROUTE)),
    hasCommit: async sha => (await api.get(`/api/commits/${encodeURIComponent(sha)}`)) !== undefined,
    async byId(kind, ids) {
      const rows: StoredRow[] = []
      for (let from = 0; from < ids.length; from += IDS_PER_REQUEST) {
        const some = ids.slice(from, from + IDS_PER_REQUEST).join(',')
        rows.push(...(await api.allMeasurements(kind, `ids=${some}`)))
      }
      return rows
    },
    // The read API has no generations.
    supersededIds: async () => new Set<string>(),
    async idsOf(kind, sha, after) {
      const from = after === undefined ? '' : `&after=${after}`
      const { rows } = await api.measurements(`kind=${kind.kind}&commit=${encodeURIComponent(sha)}${from}`)
      return rows.map(idOf)
    },
    close: () => api.close(),
  }
}
