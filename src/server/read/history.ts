/** Routes of the page: the newest commits, and the history of a group, one value for each of its series at each commit. */

import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import type { Kind } from '../../contract/kinds.js'
import { readStoredCommits, type CommitFilter } from '../../database/queries/commits.js'
import { hasRuns, hasUncompressed, readGroupHistory, type SeriesHistory } from '../../database/queries/group-history.js'
import { readMainLine } from '../../database/queries/main-line.js'
import { chartField, groupSeriesFields, type MeasurementGroup } from '../../database/queries/groups.js'
import type { SqlSession } from '../../database/session.js'
import type { TextRow } from '../../database/queries/rows.js'
import type { Store } from '../store/store.js'
import { groupSlug, groupTitle, groupValues, parseGroupSlug } from './groups.js'
import type { HistoryAnswer, HistoryCommit } from './answers.js'
import { BadParameter, countParameter, prefixParameter, shasParameter, textParameter } from './parameters.js'
import { cacheAnswers } from './answer-cache.js'
import { notFound } from './read-memory.js'
import type { ReadRouteOptions } from './routes.js'

/** More series than a person can tell apart. With 1,000 commits, the answer holds a million numbers. */
const MAX_SERIES = 1_000

type HistoryQuery = {
  readonly group: MeasurementGroup
  /** Ids of the commits, newest first, or the number of newest commits by time. */
  readonly chosen: readonly string[] | number
  readonly withRuns: boolean
}

/** @returns a `HistoryAnswer` as JSON, with its values digit for digit */
async function historyJson(store: Store, query: HistoryQuery): Promise<string> {
  const { group, chosen, withRuns } = query
  const commits = (await store.read(session => readChosen(session, chosen))).toReversed()
  const shas = commits.map(({ commit_sha }) => commit_sha ?? '')
  const { kind } = group
  const options = { shas, limit: MAX_SERIES, withRuns }
  const { series, more } = await store.read(session => readGroupHistory(session, group, options))
  const head = {
    ...{ slug: groupSlug(group), name: groupTitle(group), kind: kind.kind, unit: kindUnit(kind) },
    ...groupValues(group),
    dimensions: groupSeriesFields(kind).map(({ name }) => name),
    commits: commits.map(historyCommit),
    more,
  }
  const lists = pointLists(kind, withRuns)
  const entries = series.map(one => seriesJson(one, shas.length, lists))
  return `${JSON.stringify(head).slice(0, -1)},"series":[${entries.join(',')}]}`
}

/** Commits in the given order, or the newest by time. */
async function readChosen(session: SqlSession, chosen: HistoryQuery['chosen']): Promise<readonly TextRow[]> {
  if (typeof chosen === 'number') return readStoredCommits(session, { newest: chosen })
  const rows = await readStoredCommits(session, { shas: chosen })
  const known = new Map(rows.map(row => [row['commit_sha'], row]))
  return chosen.flatMap(sha => {
    const row = known.get(sha)
    return row === undefined ? [] : [row]
  })
}

/** Read anew each time, because `changes` needs a commit that was pushed to the database itself a moment ago. */
async function newestOfLine(store: Store, wanted: number): Promise<readonly string[]> {
  const { stored } = await store.read(session => readMainLine(session, wanted))
  return stored.slice(0, wanted)
}

/** Names of the lists of a series: one for each part of its points. */
function pointLists(kind: Kind, withRuns: boolean): readonly string[] {
  if (hasUncompressed(kind)) return ['values', 'uncompressed_bytes']
  return withRuns && hasRuns(kind) ? ['values', 'low', 'high'] : ['values']
}

export function kindUnit(kind: Kind): HistoryAnswer['unit'] {
  return chartField(kind).name === 'value_ns' ? 'ns' : 'bytes'
}

function seriesJson({ key, points }: SeriesHistory, length: number, names: readonly string[]): string {
  const lists = names.map(() => new Array<string>(length).fill('null'))
  for (const point of points.split(',')) {
    const [place = '', ...parts] = point.split(' ')
    for (const [index, part] of parts.entries()) lists[index]![Number(place)] = part
  }
  const members = names.map((name, index) => `"${name}":[${lists[index]!.join(',')}]`)
  return `{"key":${JSON.stringify(key)},${members.join(',')}}`
}

export function historyCommit({ commit_sha, timestamp, message, author_name, url }: TextRow): HistoryCommit {
  const [subject = ''] = (message ?? '').split('\n', 1)
  return {
    ...{ sha: commit_sha ?? '', timestamp: timestamp ?? '', message: subject.slice(0, MAX_SUBJECT) },
    ...{ author: author_name ?? '', url: url ?? '' },
  }
}

const MAX_SUBJECT = 200

const HISTORY = { least: 1, most: 1_000, otherwise: 200 }
/** The value of the parameter `runs`. */
const QUARTILES = 'quartiles'
const NEWEST_COMMITS = { least: 1, most: 1_000, otherwise: 20 }
/** The request line with this many ids fits in the 16 KiB that Node allows for a request's head. */
const MAX_SHAS = 200
/** Number of cached histories. A long history takes a few hundred kilobytes after compression. */
const REMEMBERED = 16
/** A higher gzip level barely shrinks a history further, because it consists mostly of digits. */
const LEVEL = 4

const pack = promisify(gzip)
const unpack = promisify(gunzip)

export function addHistoryRoutes(app: FastifyInstance, options: ReadRouteOptions): void {
  const { store, memory, writes, now, mainLine } = options
  const packedHistory = cacheAnswers(
    async key => {
      const [slug = '', n, line, runs] = key.split(' ')
      const chosen = line === 'main' ? (await mainLine(Number(n))).stored.slice(0, Number(n)) : Number(n)
      const query = { group: parseGroupSlug(slug)!, chosen, withRuns: runs === QUARTILES }
      return pack(await historyJson(store, query), { level: LEVEL })
    },
    { writes, now, most: REMEMBERED },
  )
  app.get('/api/history/:slug', async (request, reply) => {
    const n = countParameter(request.query, 'n', HISTORY)
    const runs = textParameter(request.query, 'runs')
    if (runs !== undefined && runs !== QUARTILES) throw new BadParameter(`runs must be ${QUARTILES}`)
    const line = lineParameter(request.query) ?? 'main'
    const { slug } = request.params as { slug: string }
    if (parseGroupSlug(slug) === undefined) return notFound(reply)
    return memory.send(reply, async () => {
      const packed = await packedHistory(`${slug} ${n} ${line} ${runs ?? ''}`)
      reply.header('vary', 'accept-encoding')
      if (!takesGzip(request.headers['accept-encoding'])) return unpack(packed)
      reply.header('content-encoding', 'gzip')
      return packed
    })
  })
  app.get('/api/commits', async (request, reply) => {
    const filter = commitsAsked(request.query)
    const isMain = lineParameter(request.query) === 'main' && 'newest' in filter
    return memory.send(reply, async () => {
      const chosen = isMain ? await newestOfLine(store, filter.newest) : undefined
      const commits = await store.read(session =>
        chosen === undefined ? readStoredCommits(session, filter) : readChosen(session, chosen),
      )
      return JSON.stringify({ commits })
    })
  })
}

function commitsAsked(query: unknown): CommitFilter {
  const shas = shasParameter(query, 'shas', MAX_SHAS)
  if (shas !== undefined) return { shas }
  const newest = countParameter(query, 'n', NEWEST_COMMITS)
  const prefix = prefixParameter(query, 'prefix')
  return prefix === undefined ? { newest } : { prefix, most: newest }
}

/** `main` for the commits of the main line, `all` for all commits by time; undefined when it is not given. */
function lineParameter(query: unknown): 'main' | 'all' | undefined {
  const line = textParameter(query, 'line')
  if (line === undefined || line === 'main' || line === 'all') return line
  throw new BadParameter('line must be main or all')
}

/** @param header the Accept-Encoding header; `gzip;q=0` means that gzip is not accepted */
export function takesGzip(header: string | string[] | undefined): boolean {
  return /(?:^|,)\s*gzip\s*(?:$|,|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))/.test(String(header ?? ''))
}
