/** Reads the rows of two commits in one snapshot, without reading those of other commits where an index makes that possible. */

import type { KindRows } from '../../analysis/comparison.js'
import { seriesDimensions, valueFields, type Measurement, type Sides } from '../../analysis/series.js'
import type { Hash64 } from '../../contract/hash64.js'
import { CONTRACT, kindIn, type Kind } from '../../contract/kinds.js'
import { measurementId } from '../../contract/measurement-id.js'
import { readableVersion } from '../contract-version.js'
import { inSnapshot, type SqlSession } from '../session.js'
import { findAccess, selectSeries, withLooseScan, type Access } from './commit-access.js'
import { selectText, type TextRow } from './rows.js'

export type CommitRows = { readonly kinds: readonly KindRows[]; readonly access: readonly Access[] }

export type Limits = {
  /** A table of up to this size is scanned, because that is faster than listing its series. */
  readonly smallBytes: number
  /** A table with more series than this is scanned, because listing them from the index would not be faster. */
  readonly mostSeries: number
}

export type CommitRowsOptions = {
  readonly hash: Hash64
  readonly limits?: Limits
  /** Statement timeout in the database. Default: the session's own. */
  readonly timeoutMs?: number | undefined
}

export const COMMIT_ROWS_LIMITS: Limits = { smallBytes: 64 * 1024 * 1024, mostSeries: 50_000 }
/** Number of ids per query. */
export const CHUNK_IDS = 10_000

/**
 * Reads the rows of both commits in one snapshot, so that a concurrent push is seen whole or not at all. A dimension that
 * a database of an older contract version lacks has its default in every row.
 */
export async function readCommitRows(
  session: SqlSession,
  shas: Sides<string>,
  { hash, limits = COMMIT_ROWS_LIMITS, timeoutMs }: CommitRowsOptions,
): Promise<CommitRows> {
  return inSnapshot(session, async () => {
    if (timeoutMs !== undefined) await session.execute(`SET LOCAL statement_timeout TO ${timeoutMs}`)
    const kinds: KindRows[] = []
    const access: Access[] = []
    const version = await readableVersion(session)
    const stored = CONTRACT.kinds.map(kind => kindIn(version, kind))
    for (const [index, found] of (await findAccess(session, stored, limits.smallBytes)).entries()) {
      const kind = CONTRACT.kinds[index]!
      const read = await readKind(session, found, { kind, shas, hash, limits })
      kinds.push({ kind, rows: read.rows })
      access.push(read.access)
    }
    return { kinds, access }
  })
}

type Wanted = {
  /** The kind in the newest contract version. `Access` has the kind in the version of the database. */
  readonly kind: Kind
  readonly shas: Sides<string>
  readonly hash: Hash64
  readonly limits: Limits
}

type KindRead = { readonly rows: Sides<readonly Measurement[]>; readonly access: Access }

async function readKind(session: SqlSession, access: Access, wanted: Wanted): Promise<KindRead> {
  const { kind, hash } = wanted
  const { base, head } = wanted.shas
  const { mostSeries } = wanted.limits
  const text = select(access.kind)
  const ids =
    access.by === 'series' ? await idsBySeries(session, access, { shas: [base, head], hash, mostSeries }) : undefined
  if (ids === undefined) {
    const rows = await session.query<TextRow>(`${text} WHERE commit_sha = ANY($1::text[])`, [[base, head]])
    return {
      rows: splitSides(kind, rows, wanted.shas),
      access: access.by === 'series' ? { ...access, by: 'scan' } : access,
    }
  }
  const rows: TextRow[] = []
  for (let from = 0; from < ids.length; from += CHUNK_IDS) {
    const some = ids.slice(from, from + CHUNK_IDS)
    rows.push(...(await session.query<TextRow>(`${text} WHERE measurement_id = ANY($1::bigint[])`, [some])))
  }
  return { rows: splitSides(kind, rows, wanted.shas), access }
}

/**
 * The measurement ids that commits would have for every series of the table, series by series; a commit may lack a row for some
 * of them. Undefined when there are more series than `mostSeries`.
 */
export async function idsBySeries(
  session: SqlSession,
  { kind, indexed }: Access,
  { shas, hash, mostSeries }: { readonly shas: readonly string[]; readonly hash: Hash64; readonly mostSeries: number },
): Promise<readonly string[] | undefined> {
  const series = await withLooseScan(session, () =>
    session.query<TextRow>(`SELECT * FROM (${selectSeries(kind.table, indexed)}) AS series LIMIT ${mostSeries + 1}`),
  )
  if (series.length > mostSeries) return undefined
  return series.flatMap(dimensions =>
    shas.map(commit_sha => measurementId(kind, { ...dimensions, commit_sha }, hash).toString()),
  )
}

function select(kind: Kind): string {
  const { value, timed, sized } = valueFields(kind)
  const names = ['commit_sha', ...seriesDimensions(kind).map(({ name }) => name), value]
  const beside = [...(timed ? ['all_runtimes_ns', 'env_triple'] : []), ...(sized ? ['uncompressed_bytes'] : [])]
  return selectText(kind, [...names, ...beside])
}

function splitSides(kind: Kind, rows: readonly TextRow[], { base, head }: Sides<string>): KindRead['rows'] {
  const rowsAt = (sha: string): readonly Measurement[] =>
    rows.filter(row => row['commit_sha'] === sha).map(row => toMeasurement(kind, row))
  return { base: rowsAt(base), head: rowsAt(head) }
}

/** @param row a measurement as the database and the read API of a server return it */
export function toMeasurement(kind: Kind, row: TextRow): Measurement {
  const { value, timed } = valueFields(kind)
  const uncompressed = row['uncompressed_bytes'] ?? undefined
  return {
    dimensions: seriesDimensions(kind).map(({ name, conditional }) => row[name] ?? conditional ?? null),
    value: BigInt(row[value] ?? ''),
    runtimes: timed ? parseIntegers(row['all_runtimes_ns'] ?? '{}') : undefined,
    platform: row['env_triple'] ?? null,
    uncompressed: uncompressed === undefined ? undefined : BigInt(uncompressed),
  }
}

/** Parses a Postgres array such as `{1,2}`. NULL elements, which no valid record has, are left out. */
function parseIntegers(array: string): readonly bigint[] {
  const items = array.slice(1, -1).split(',')
  return items.filter(item => /^-?\d+$/.test(item)).map(BigInt)
}
