/** The read API. It needs no token, because production readers make the same data public. */

import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { CONTRACT, type Kind } from '../../contract/kinds.js'
import type { Store } from '../store/store.js'
import { readStoredCommits } from '../../database/queries/commits.js'
import { readStoredFirstParents } from '../../database/queries/first-parents.js'
import type { MainLine } from '../../database/queries/main-line.js'
import type { MeasurementGroup } from '../../database/queries/groups.js'
import type { PageLimits, RowFilter } from '../../database/queries/rows.js'
import { groupTitle, groupValues, parseGroupSlug } from './groups.js'
import { BadParameter, countParameter, idParameter, idsParameter, textParameter } from './parameters.js'
import { listGroups, measurementPage } from './pages.js'
import { JSON_TYPE, notFound, type ReadMemory } from './read-memory.js'
import { cacheAnswers } from './answer-cache.js'

export type ReadRouteOptions = {
  readonly store: Store
  readonly memory: ReadMemory
  /** Called with the reason when an answer breaks off while it is being sent. */
  readonly onBroken: (reply: FastifyReply, error: unknown) => void
  /** Number of envelopes applied so far. */
  readonly writes: () => number
  readonly now: () => Date
  /** Finds the main line of the stored commits, cached like other answers. */
  readonly mainLine: (wanted: number) => Promise<MainLine>
}

const GROUP_COMMITS = { least: 1, most: 1_000, otherwise: 100 }
const PAGE = { least: 1, most: 5_000, otherwise: 1_000 }
/** The request line with this many ids fits in the 16 KiB that Node allows for a request's head. */
const MAX_IDS = 500

export function addReadRoutes(app: FastifyInstance, options: ReadRouteOptions): void {
  const { store, memory } = options
  addFirstParentsRoute(app, options)
  // Cached, because finding the groups reads the dimensions of every row.
  const groups = cacheAnswers(() => listGroups(store), { ...options, most: 1 })
  app.get('/api/groups', async (_request, reply) =>
    memory.send(reply, async () => JSON.stringify({ groups: await groups('all') })),
  )
  app.get('/api/group/:slug', async (request, reply) => {
    const n = countParameter(request.query, 'n', GROUP_COMMITS)
    const group = parseGroupSlug((request.params as { slug: string }).slug)
    return group === undefined ? notFound(reply) : sendGroup(reply, { group, n, ...options })
  })
  app.get('/api/measurements', async ({ query }, reply) => {
    const asked = measurementsAsked(query)
    const kinds = kindsParameter(query)
    return memory.send(reply, async () => {
      const { json, next } = await measurementPage(store, kinds, asked)
      const commit = 'commit' in asked ? `"commit":${JSON.stringify(asked.commit)},` : ''
      return `{${commit}"measurements":[${json}],"next":${JSON.stringify(next ?? null)}}`
    })
  })
  app.get('/api/commits/:sha', async (request, reply) => {
    const { sha } = request.params as { sha: string }
    return memory.send(reply, async () => {
      const [commit] = await store.read(session => readStoredCommits(session, { sha }))
      return commit && JSON.stringify(commit)
    })
  })
}

/** Until which number of commits a history is followed. */
const FIRST_PARENTS = { least: 1, most: 10_000, otherwise: 1_000 }

function addFirstParentsRoute(app: FastifyInstance, { store, memory }: ReadRouteOptions): void {
  app.get('/api/commits/:sha/first-parents', async (request, reply) => {
    const { sha } = request.params as { sha: string }
    const limit = countParameter(request.query, 'n', FIRST_PARENTS)
    return memory.send(reply, async () =>
      JSON.stringify(await store.read(session => readStoredFirstParents(session, sha, limit))),
    )
  })
}

function measurementsAsked(query: unknown): RowFilter & PageLimits {
  const after = idParameter(query, 'after')
  const ids = idsParameter(query, 'ids', MAX_IDS)
  if (ids !== undefined) return { ids, after, limit: ids.length }
  const commit = textParameter(query, 'commit')
  if (commit === undefined) throw new BadParameter('commit or ids is missing')
  return { commit, after, limit: countParameter(query, 'limit', PAGE) }
}

function kindsParameter(query: unknown): readonly Kind[] {
  const name = textParameter(query, 'kind')
  if (name === undefined) return CONTRACT.kinds
  const kind = CONTRACT.kinds.find(({ kind }) => kind === name)
  if (kind === undefined)
    throw new BadParameter(`kind must be one of ${CONTRACT.kinds.map(({ kind }) => kind).join(', ')}`)
  return [kind]
}

type GroupAsked = Pick<ReadRouteOptions, 'store' | 'memory' | 'onBroken'> & {
  readonly group: MeasurementGroup
  readonly n: number
}

async function sendGroup(reply: FastifyReply, asked: GroupAsked): Promise<FastifyReply> {
  const parts = groupParts(asked)
  // Most failures happen in the first part, while an error status can still be sent.
  const first = await parts.next()
  if (reply.raw.destroyed) {
    await parts.return('')
    return reply.hijack()
  }
  const text = async function* (): AsyncGenerator<string> {
    yield first.value
    yield* parts
  }
  // Without this, the memory of a first part that nobody wants would stay reserved.
  reply.raw.once('close', () => void parts.return(''))
  const stream = Readable.from(text(), { objectMode: false })
  // The status has been sent by then, so the connection is closed before the end of the answer.
  stream.on('error', error => asked.onBroken(reply, error))
  asked.memory.limitStalls(reply)
  return reply.type(JSON_TYPE).send(stream)
}

/** The answer in parts, each with a page of measurements, whose memory is reserved until the next part is requested. */
async function* groupParts({ store, memory, group, n }: GroupAsked): AsyncGenerator<string, string> {
  let shas: readonly string[] = []
  let after: string | undefined
  for (let isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const share = await memory.take()
    try {
      let head = ','
      if (isFirst) {
        const commits = await store.read(session => readStoredCommits(session, { newest: n }))
        shas = commits.map(({ commit_sha }) => commit_sha ?? '')
        const members = { name: groupTitle(group), kind: group.kind.kind, ...groupValues(group), n, commits }
        head = `${JSON.stringify(members).slice(0, -1)},"measurements":[`
      }
      const limits = { after, limit: PAGE.otherwise }
      const { json, next } = await measurementPage(store, [group.kind], { group, commits: shas, ...limits })
      after = next
      const part = (json === '' && !isFirst ? '' : head + json) + (next === undefined ? ']}' : '')
      share.shrink(part.length)
      yield part
    } finally {
      share.release()
    }
  }
  return ''
}
