/** Reads the values of all series at a list of commits in one snapshot, without their runs. */

import { seriesDimensions, valueFields } from '../../analysis/series.js'
import type { Hash64 } from '../../contract/hash64.js'
import { CONTRACT, kindIn, type Kind } from '../../contract/kinds.js'
import { readableVersion } from '../contract-version.js'
import { inSnapshot, type SqlSession, type Statement } from '../session.js'
import { MAX_NAME_BYTES } from './groups.js'
import { findAccess, type Access } from './commit-access.js'
import { CHUNK_IDS, COMMIT_ROWS_LIMITS, idsBySeries } from './commit-rows.js'
import type { TextRow } from './rows.js'
import { byteSum } from './within-bytes.js'

/** The values of one series that were measured on one platform. */
export type SeriesPart = {
  /** The kind in the newest contract version. */
  readonly kind: Kind
  /** Values of the `seriesDimensions`, in their order. A dimension that an older database lacks has its default. */
  readonly dimensions: readonly (string | null)[]
  /** Target triple of the measuring machine; null when it is unknown. */
  readonly platform: string | null
  /** Places of commits in the list, with the value at that commit. */
  readonly points: readonly (readonly [place: number, value: string])[]
}

export type SeriesParts = {
  readonly parts: readonly SeriesPart[]
  /** Whether parts are missing, because of `mostBytes`. */
  readonly more: boolean
}

export type SeriesHistoryOptions = {
  readonly hash: Hash64
  /** Number of bytes of names and values after which reading stops. Default: no limit. */
  readonly mostBytes?: number | undefined
  /** Statement timeout in the database. Default: the session's own. */
  readonly timeoutMs?: number | undefined
  /** A table of up to this size is scanned. */
  readonly smallBytes?: number
  /** Bytes of a table that are scanned in the time that finding one row by its id takes. */
  readonly bytesPerId?: number
}

/** The ids of more rows would take too much memory. */
const MAX_IDS = 200_000
/** Measured: computing an id and reading its row takes as long as scanning this many bytes (bench/README.md). */
const BYTES_PER_ID = 20 * 1024

/**
 * Reads the values at the given commits. A series has a part for each platform on which it was measured. When few values are
 * wanted from a large table, they are found by their ids, otherwise the table is scanned once.
 */
export async function readSeriesHistory(
  session: SqlSession,
  shas: readonly string[],
  options: SeriesHistoryOptions,
): Promise<SeriesParts> {
  const { hash, mostBytes = Infinity, timeoutMs, bytesPerId = BYTES_PER_ID } = options
  const { smallBytes = COMMIT_ROWS_LIMITS.smallBytes } = options
  return inSnapshot(session, async () => {
    if (timeoutMs !== undefined) await session.execute(`SET LOCAL statement_timeout TO ${timeoutMs}`)
    const parts: SeriesPart[] = []
    let bytes = 0
    const version = await readableVersion(session)
    const stored = CONTRACT.kinds.map(kind => kindIn(version, kind))
    for (const [index, access] of (await findAccess(session, stored, smallBytes)).entries())
      for (const ids of await idChunks(session, access, {
        shas,
        hash,
        mostIds: Math.min(MAX_IDS, access.tableBytes / bytesPerId),
      })) {
        const { text, values } = selectParts(access.kind, shas, ids)
        const rows = await session.query<TextRow>(firstBytes(text, mostBytes - bytes), values)
        parts.push(...rows.map(row => toPart(CONTRACT.kinds[index]!, row)))
        bytes += Number(rows.at(-1)?.['total'] ?? 0)
        if (bytes >= mostBytes) return { parts, more: true }
      }
    return { parts, more: false }
  })
}

/**
 * The ids of all measurements that the commits may have in a table, in chunks.
 * @returns a chunk that is undefined when the table is to be scanned
 */
async function idChunks(
  session: SqlSession,
  access: Access,
  { shas, hash, mostIds }: { readonly shas: readonly string[]; readonly hash: Hash64; readonly mostIds: number },
): Promise<readonly (readonly string[] | undefined)[]> {
  if (access.by !== 'series' || shas.length === 0) return [undefined]
  const ids = await idsBySeries(session, access, { shas, hash, mostSeries: Math.floor(mostIds / shas.length) })
  if (ids === undefined) return [undefined]
  const starts = Array.from({ length: Math.ceil(ids.length / CHUNK_IDS) }, (_, chunk) => chunk * CHUNK_IDS)
  return starts.map(start => ids.slice(start, start + CHUNK_IDS))
}

/** A query with one row for each series and platform, whose points are text: place and value, separated by commas. */
function selectParts(kind: Kind, shas: readonly string[], ids: readonly string[] | undefined): Statement {
  const { value, timed } = valueFields(kind)
  const names = seriesDimensions(kind).map(({ name }) => `${kind.table}.${name}`)
  const platform = timed ? ['env_triple'] : []
  const columns = seriesDimensions(kind).map(({ name }) => `${kind.table}.${name}::text AS ${name}`)
  const bytes = byteSum([...names.map(name => `${name}::text`), ...platform])
  const text = `
    SELECT ${[...columns, ...platform].join(', ')}, ${bytes} AS bytes,
      string_agg((place - 1) || ' ' || ${value}, ',') AS points
    FROM public.${kind.table} JOIN unnest($1::text[]) WITH ORDINALITY AS chosen (sha, place) ON commit_sha = sha
    ${ids === undefined ? '' : 'WHERE measurement_id = ANY($2::bigint[])'}
    GROUP BY ${[...names, ...platform].join(', ')}`
  return { text, values: ids === undefined ? [shas] : [shas, ids] }
}

/** SQL for the first rows of a query, until they reach a number of bytes together. `total` has the bytes up to each row. */
function firstBytes(query: string, mostBytes: number): string {
  if (mostBytes === Infinity) return query
  return `
    SELECT * FROM (
      SELECT *, sum(bytes + octet_length(points)) OVER (ROWS UNBOUNDED PRECEDING) AS total
      FROM (${query}) AS parts WHERE bytes <= ${MAX_NAME_BYTES}
    ) AS summed WHERE total - bytes - octet_length(points) < ${mostBytes} ORDER BY total`
}

function toPart(newest: Kind, row: TextRow): SeriesPart {
  const points = (row['points'] ?? '').split(',').map(point => {
    const [place, value = ''] = point.split(' ')
    return [Number(place), value] as const
  })
  const dimensions = seriesDimensions(newest).map(({ name, conditional }) => row[name] ?? conditional ?? null)
  return { kind: newest, dimensions, platform: row['env_triple'] ?? null, points }
}
