/** Reads stored commits and their measurements through the read routes of a server (docs/server.md). */

import { seriesDimensions, type Measurement } from '../analysis/series.js'
import type { FirstParents } from '../commit/ancestry.js'
import { isExactObject, type ExactObject, type ExactValue } from '../contract/exact-value.js'
import { CONTRACT, type Kind } from '../contract/kinds.js'
import { toMeasurement } from '../database/queries/commit-rows.js'
import { toStoredCommit, type CommitFilter, type StoredCommit } from '../database/queries/commits.js'
import type { SeriesPart } from '../database/queries/series-history.js'
import { IngestError } from '../errors.js'
import type { CommitReader } from './commit-reader.js'
import { commitFinder } from './find-commit.js'
import { openReadApi, textOf, type ReadApi, type ReadApiOptions } from './read-api.js'
import { toSeriesValues } from './series-values.js'

/** Number of commits per request: a request line of this length is accepted by every server and proxy. */
const SHAS_PER_REQUEST = 100
const ROWS_PER_PAGE = 5_000

export async function serverReader(options: ReadApiOptions): Promise<CommitReader> {
  const api = await openReadApi(options)
  return {
    ...commitFinder(filter => listCommits(api, filter)),
    description: api.description,
    async rows(base, head) {
      const kinds = []
      for (const kind of CONTRACT.kinds)
        kinds.push({ kind, rows: { base: await rowsAt(api, kind, base), head: await rowsAt(api, kind, head) } })
      return { kinds, access: [] }
    },
    // A server of an older version ignores `line` and answers with its newest commit by time.
    mainHead: async () => (await commitPage(api, { newest: 1 }, 'main'))[0]?.sha,
    firstParents: (sha, limit) => readFirstParents(api, sha, limit),
    async history(shas) {
      const parts: SeriesPart[] = []
      for (let from = 0; from < shas.length; from += SHAS_PER_REQUEST)
        parts.push(...(await readParts(api, shas.slice(from, from + SHAS_PER_REQUEST), from)))
      return toSeriesValues(parts, shas.length)
    },
    close: async () => api.close(),
  }
}

async function rowsAt(api: ReadApi, kind: Kind, sha: string): Promise<readonly Measurement[]> {
  const rows = await api.allMeasurements(kind, `commit=${sha}&limit=${ROWS_PER_PAGE}`)
  return rows.map(row => toMeasurement(kind, row))
}

async function listCommits(api: ReadApi, filter: CommitFilter): Promise<readonly StoredCommit[]> {
  if (!('shas' in filter)) return commitPage(api, filter)
  const found: StoredCommit[] = []
  for (let from = 0; from < filter.shas.length; from += SHAS_PER_REQUEST)
    found.push(...(await commitPage(api, { shas: filter.shas.slice(from, from + SHAS_PER_REQUEST) })))
  return found
}

async function commitPage(
  api: ReadApi,
  filter: CommitFilter,
  line: 'main' | 'all' = 'all',
): Promise<readonly StoredCommit[]> {
  const path = `/api/commits?${commitQuery(filter)}${line === 'main' ? '&line=main' : ''}`
  const entries = api.objects(path, await api.get(path), 'commits')
  const commits = entries.map(entry => {
    const texts = Object.entries(entry).map(([name, value]) => [name, textOf(value)] as const)
    return toStoredCommit(Object.fromEntries(texts))
  })
  if (commits.every(({ sha }) => isIn(filter, sha))) return commits
  // An older server ignores the parameters that it does not know, and answers with its newest commits.
  const message = `${api.description} cannot look up commits, because it runs an older version of vortex-ingest`
  throw new IngestError('target_misconfigured', message, { hint: 'update vortex-ingest on the server' })
}

function commitQuery(filter: CommitFilter): string {
  if ('newest' in filter) return `n=${filter.newest}`
  return 'shas' in filter ? `shas=${filter.shas.join(',')}` : `prefix=${filter.prefix}&n=${filter.most}`
}

function isIn(filter: CommitFilter, sha: string): boolean {
  if ('newest' in filter) return true
  return 'shas' in filter ? filter.shas.includes(sha) : sha.startsWith(filter.prefix)
}

/** Only the commit itself on a server of an older version, which does not have the route. */
async function readFirstParents(api: ReadApi, sha: string, limit: number): Promise<FirstParents> {
  const answer = await api.get(`/api/commits/${sha}/first-parents?n=${limit}`)
  const shas = answer?.['shas']
  const end = ENDS.find(end => end === answer?.['end'])
  if (!Array.isArray(shas) || end === undefined) return { shas: [sha], end: 'unknown' }
  return { shas: (shas as readonly ExactValue[]).flatMap(one => textOf(one) ?? []), end }
}

const ENDS = ['first', 'limit', 'unknown'] as const

/** Reads the values at some commits. Requests fewer commits at once when the server's answer is not complete. */
async function readParts(api: ReadApi, shas: readonly string[], firstPlace: number): Promise<readonly SeriesPart[]> {
  const path = `/api/series?commits=${shas.join(',')}`
  const answer = await api.get(path)
  const entries = api.objects(path, answer, 'series')
  if (answer?.['more'] !== true) return entries.flatMap(entry => toPart(entry, firstPlace))
  if (shas.length === 1) {
    const message = `${api.description} cannot answer all series of ${shas[0]}, because their names are too long together`
    throw new IngestError('target_misconfigured', message, { hint: 'read the database itself: --postgres' })
  }
  const half = Math.ceil(shas.length / 2)
  const first = await readParts(api, shas.slice(0, half), firstPlace)
  return [...first, ...(await readParts(api, shas.slice(half), firstPlace + half))]
}

/** Empty for a kind that this version does not know. */
function toPart(entry: ExactObject, firstPlace: number): readonly SeriesPart[] {
  const kind = CONTRACT.kinds.find(({ kind }) => kind === entry['kind'])
  const { dimensions: named, values, platform } = entry
  if (kind === undefined || !isExactObject(named) || !Array.isArray(values)) return []
  const dimensions = seriesDimensions(kind).map(({ name, conditional }) => textOf(named[name]) ?? conditional ?? null)
  const points = (values as readonly ExactValue[]).flatMap((value, place) => {
    const text = textOf(value)
    return text === null ? [] : [[firstPlace + place, text] as const]
  })
  return [{ kind, dimensions, platform: textOf(platform), points }]
}
