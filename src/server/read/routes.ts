/** The read API. It needs no token, because production readers make the same data public. */

import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { CONTRACT, type Kind } from '../../contract/kinds.js'
import type { Store } from '../store/store.js'
import { readStoredCommits } from '../../database/queries/commits.js'
import type { MeasurementGroup } from '../../database/queries/groups.js'
import { groupTitle, groupValues, parseGroupSlug } from './groups.js'
import { BadParameter, countParameter, idParameter, idsParameter, textParameter } from './parameters.js'
import { commitPage, groupPage, idPage, listGroups, type MeasurementEntry } from './pages.js'
import { cacheAnswers } from './answer-cache.js'

export type ReadRouteOptions = {
  readonly store: Store
  /** Called with the reason when an answer breaks off while it is being sent. */
  readonly onBroken: (reply: FastifyReply, error: unknown) => void
  /** Number of envelopes applied so far. */
  readonly writes: () => number
  readonly now: () => Date
}

const GROUP_COMMITS = { least: 1, most: 1_000, otherwise: 100 }
const PAGE = { least: 1, most: 5_000, otherwise: 1_000 }
export const JSON_TYPE = 'application/json; charset=utf-8'

export function addReadRoutes(app: FastifyInstance, options: ReadRouteOptions): void {
  const { store, onBroken } = options
  // Cached, because finding the groups reads the dimensions of every row.
  const groups = cacheAnswers(() => listGroups(store), { ...options, most: 1 })
  app.get('/api/groups', async () => ({ groups: await groups('all') }))
  app.get('/api/group/:slug', async (request, reply) => {
    const n = countParameter(request.query, 'n', GROUP_COMMITS)
    const group = parseGroupSlug((request.params as { slug: string }).slug)
    return group === undefined ? notFound(reply) : sendGroup(reply, store, { group, n, onBroken })
  })
  app.get('/api/measurements', async (request, reply) => {
    const ids = idsParameter(request.query, 'ids', PAGE.most)
    if (ids !== undefined) {
      const rows = await idPage(store, kindsParameter(request.query), ids)
      return reply.type(JSON_TYPE).send(`{"measurements":[${listed(rows)}]}`)
    }
    const sha = textParameter(request.query, 'commit')
    if (sha === undefined) throw new BadParameter('commit or ids is missing')
    const { limit, after } = {
      limit: countParameter(request.query, 'limit', PAGE),
      after: idParameter(request.query, 'after'),
    }
    const rows = await commitPage(store, kindsParameter(request.query), { commit: sha, after, limit })
    const next = rows.length < limit ? 'null' : JSON.stringify(String(rows.at(-1)?.id))
    return reply
      .type(JSON_TYPE)
      .send(`{"commit":${JSON.stringify(sha)},"measurements":[${listed(rows)}],"next":${next}}`)
  })
  app.get('/api/commits/:sha', async (request, reply) => {
    const { sha } = request.params as { sha: string }
    const [commit] = await store.read(session => readStoredCommits(session, { sha }))
    return commit ?? notFound(reply)
  })
}

export function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ error: 'not_found' })
}

function kindsParameter(query: unknown): readonly Kind[] {
  const name = textParameter(query, 'kind')
  if (name === undefined) return CONTRACT.kinds
  const kind = CONTRACT.kinds.find(({ kind }) => kind === name)
  if (kind === undefined)
    throw new BadParameter(`kind must be one of ${CONTRACT.kinds.map(({ kind }) => kind).join(', ')}`)
  return [kind]
}

function listed(rows: readonly MeasurementEntry[]): string {
  return rows.map(({ json }) => json).join(',')
}

type Asked = Pick<ReadRouteOptions, 'onBroken'> & { readonly group: MeasurementGroup; readonly n: number }

async function sendGroup(reply: FastifyReply, store: Store, { group, n, onBroken }: Asked): Promise<FastifyReply> {
  const commits = await store.read(session => readStoredCommits(session, { newest: n }))
  const shas = commits.map(({ commit_sha }) => commit_sha ?? '')
  const pages = groupPages(store, group, shas)
  // Most failures happen on the first page, while an error status can still be sent.
  const first = await pages.next()
  const head = { name: groupTitle(group), kind: group.kind.kind, ...groupValues(group), n, commits }
  const text = async function* (): AsyncGenerator<string> {
    yield `${JSON.stringify(head).slice(0, -1)},"measurements":[`
    let comma = ''
    for (let page = first; page.done !== true; page = await pages.next()) {
      if (page.value.length > 0) yield comma + listed(page.value)
      comma = ','
    }
    yield ']}'
  }
  const stream = Readable.from(text(), { objectMode: false })
  // The status has been sent by then, so the connection is closed before the end of the answer.
  stream.on('error', error => onBroken(reply, error))
  return reply.type(JSON_TYPE).send(stream)
}

async function* groupPages(
  store: Store,
  group: MeasurementGroup,
  commits: readonly string[],
): AsyncGenerator<readonly MeasurementEntry[]> {
  const limit = PAGE.otherwise
  let after: string | undefined
  for (;;) {
    const rows = await groupPage(store, group, { commits, after, limit })
    yield rows
    if (rows.length < limit) return
    after = String(rows.at(-1)?.id)
  }
}
