/** Reads the history of a group from an index by series and commit time, which is the only index of the contract with values. */

import type { Field } from '../../contract/kinds.js'
import { columnType } from '../column-types.js'
import { inSnapshot, type SqlSession } from '../session.js'
import { selectSeries, withLooseScan } from './commit-access.js'
import { groupFields, groupSeriesFields, MAX_NAME_BYTES, type MeasurementGroup } from './groups.js'
import type { TextRow } from './rows.js'
import { byteSum, withinBytes } from './within-bytes.js'

export type PointQuery = {
  /** The kind is in the contract version of the database. */
  readonly group: MeasurementGroup
  readonly shas: readonly string[]
  /** Number of series. */
  readonly limit: number
  readonly mostBytes: number
  /** SQL for a point of a row, without the place of its commit. */
  readonly point: string
  /** Whether to read the machine that measured the newest value of each series. */
  readonly withPlatform: boolean
}

/**
 * Returns one row per series, with its dimensions and its `points`. The index holds the commit's time but not its id, so each point
 * is matched to its commit by time. Where several commits share a time, the rows themselves are read.
 * @param indexed the dimensions of a series, in the order of an index that continues with the time of the commit
 * @returns undefined when a row has no time, or a time that no commit has: then its commit is not known
 */
export async function readByTime(
  session: SqlSession,
  indexed: readonly Field[],
  query: PointQuery,
): Promise<readonly TextRow[] | undefined> {
  const { group, shas, mostBytes } = query
  const given = groupValues(group)
  const parameters = [...given.values()].filter(value => value !== null)
  const text = withinBytes(historyText(indexed, given, { ...query, asked: `$${parameters.length + 1}` }), mostBytes)
  const rows = await inSnapshot(session, () =>
    withLooseScan(session, () => session.query<TextRow>(text, [...parameters, shas])),
  )
  return rows.some(({ lost }) => lost === 'true') ? undefined : rows
}

function groupValues({ kind, values }: MeasurementGroup): ReadonlyMap<string, string | null> {
  return new Map(groupFields(kind).map(({ name }, index) => [name, values[index] ?? null]))
}

type HistoryTextQuery = PointQuery & {
  /** The parameter with the SHAs. */
  readonly asked: string
}

function historyText(
  indexed: readonly Field[],
  given: ReadonlyMap<string, string | null>,
  { group: { kind }, limit, point, asked, withPlatform }: HistoryTextQuery,
): string {
  const isOfSeries = indexed.map(({ name, type }) =>
    given.get(name) === null ? `${name} IS NULL` : `${name} = series.${name}::${columnType(type)}`,
  )
  const rows = (select: string, condition: string): string =>
    `SELECT ${select} FROM public.${kind.table} WHERE ${isOfSeries.join(' AND ')} AND ${condition}`
  const own = groupSeriesFields(kind)
  // The machine is looked up by all dimensions.
  const names = (withPlatform ? indexed : own).map(({ name }) => `series.${name}`).join(', ')
  const order = own.map(({ name, type }) => `series.${name}::${columnType(type)}`).join(', ')
  const bytes = byteSum(own.map(({ name }) => `series.${name}`))
  const platform = withPlatform ? `, (${rows('env_triple', 'commit_timestamp = newest')} LIMIT 1) AS platform` : ''
  return `
    WITH commits AS MATERIALIZED (
      SELECT commit_sha AS sha, timestamp AS time, place, count(*) OVER (PARTITION BY timestamp) > 1 AS is_shared
      FROM public.commits LEFT JOIN unnest(${asked}::text[]) WITH ORDINALITY AS asked (asked_sha, place) ON asked_sha = commit_sha
      WHERE timestamp >= (SELECT min(timestamp) FROM public.commits WHERE commit_sha = ANY(${asked}::text[]))
    ), shared AS MATERIALIZED (
      SELECT coalesce(array_agg(DISTINCT time), '{}') AS times FROM commits WHERE is_shared
    ), history AS (
      SELECT ${names}, row_number() OVER (ORDER BY ${order}) AS place, ${bytes} AS bytes,
        string_agg((place - 1) || ' ' || point, ',') FILTER (WHERE place IS NOT NULL) AS points,
        max(row.time) FILTER (WHERE place IS NOT NULL) AS newest, bool_or(commits.sha IS NULL) AS is_lost
      FROM (${selectSeries(kind.table, indexed, given)}) AS series CROSS JOIN LATERAL (
        ${rows(
          `commit_timestamp AS time, NULL::text AS sha, ${point} AS point`,
          `commit_timestamp >= (SELECT min(time) FROM commits) AND commit_timestamp <> ALL ((SELECT times FROM shared)::timestamptz[])`,
        )}
        UNION ALL
        ${rows(`commit_timestamp, commit_sha, ${point}`, `commit_timestamp = ANY ((SELECT times FROM shared)::timestamptz[])`)}
        UNION ALL
        (${rows(`NULL, NULL, ''`, 'commit_timestamp IS NULL LIMIT 1')})
      ) AS row LEFT JOIN commits ON commits.time = row.time AND (row.sha IS NULL OR row.sha = commits.sha)
      WHERE ${bytes} <= ${MAX_NAME_BYTES}
      GROUP BY ${names} HAVING bool_or(place IS NOT NULL OR commits.sha IS NULL)
      ORDER BY ${order} LIMIT ${limit}
    )
    SELECT *, is_lost::text AS lost, bytes + coalesce(octet_length(points), 0) AS weight${platform}
    FROM history AS series`
}
