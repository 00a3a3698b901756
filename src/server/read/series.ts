/** `GET /api/series`: the values of all series at given commits. */

import type { FastifyInstance } from 'fastify'
import { seriesDimensions } from '../../analysis/series.js'
import { wasmHash64 } from '../../contract/hash64.js'
import { readSeriesHistory, type SeriesPart } from '../../database/queries/series-history.js'
import { BadParameter, shasParameter } from './parameters.js'
import type { ReadRouteOptions } from './routes.js'

/** The request line with this many ids fits in the 16 KiB that Node allows for a request's head. */
const MAX_COMMITS = 200
/** Bytes of the names and values of an answer. */
const SERIES_BYTES = 8 * 1024 * 1024

export function addSeriesRoute(app: FastifyInstance, { store, memory }: ReadRouteOptions): void {
  app.get('/api/series', async ({ query }, reply) => {
    const shas = shasParameter(query, 'commits', MAX_COMMITS)
    if (shas === undefined) throw new BadParameter('commits is missing')
    return memory.send(reply, async () => {
      const options = { hash: await wasmHash64(), mostBytes: SERIES_BYTES }
      const { parts, more } = await store.read(session => readSeriesHistory(session, shas, options))
      const series = parts.map(part => partJson(part, shas.length))
      return `{"commits":${JSON.stringify(shas)},"series":[${series.join(',')}],"more":${more}}`
    })
  })
}

/** The values are written digit for digit. */
function partJson({ kind, dimensions, platform, points }: SeriesPart, length: number): string {
  const values = new Array<string>(length).fill('null')
  for (const [place, value] of points) values[place] = value
  const names = seriesDimensions(kind).map(({ name }, index) => [name, dimensions[index]] as const)
  const head = { kind: kind.kind, dimensions: Object.fromEntries(names), platform }
  return `${JSON.stringify(head).slice(0, -1)},"values":[${values.join(',')}]}`
}
