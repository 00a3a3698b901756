/** Routes of the page: the history of a group, and the newest commits. */

import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { readStoredCommits } from '../../database/queries/commits.js'
import { parseGroupSlug } from './groups.js'
import { historyJson } from './history.js'
import { countParameter } from './parameters.js'
import { remembered } from './remembered.js'
import { JSON_TYPE, notFound, type ReadOptions } from './routes.js'

const HISTORY = { least: 1, most: 1_000, otherwise: 200 }
const COMMITS = { least: 1, most: 100, otherwise: 20 }
/** Number of cached histories. A long history takes a few hundred kilobytes after compression. */
const REMEMBERED = 16
/** A higher gzip level barely shrinks a history further, because it consists mostly of digits. */
const LEVEL = 4

const pack = promisify(gzip)
const unpack = promisify(gunzip)

export function addHistoryRoutes(app: FastifyInstance, { store, writes, now }: ReadOptions): void {
  const packedHistory = remembered(
    async key => {
      const [slug = '', n] = key.split(' ')
      return pack(await historyJson(store, parseGroupSlug(slug)!, Number(n)), { level: LEVEL })
    },
    { writes, now, most: REMEMBERED },
  )
  app.get('/api/history/:slug', async (request, reply) => {
    const n = countParameter(request.query, 'n', HISTORY)
    const { slug } = request.params as { slug: string }
    if (parseGroupSlug(slug) === undefined) return notFound(reply)
    const packed = await packedHistory(`${slug} ${n}`)
    reply.type(JSON_TYPE).header('vary', 'accept-encoding')
    if (!takesGzip(request.headers['accept-encoding'])) return reply.send(await unpack(packed))
    return reply.header('content-encoding', 'gzip').send(packed)
  })
  app.get('/api/commits', async request => {
    const newest = countParameter(request.query, 'n', COMMITS)
    return { commits: await store.read(session => readStoredCommits(session, { newest })) }
  })
}

/** @param header the Accept-Encoding header; `gzip;q=0` means that gzip is not accepted */
export function takesGzip(header: string | string[] | undefined): boolean {
  return /(?:^|,)\s*gzip\s*(?:$|,|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))/.test(String(header ?? ''))
}
