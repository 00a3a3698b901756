/** Reads the history of a group: the value of each of its series at some commits. */

import type { Kind } from '../../contract/kinds.js'
import { storedKind } from '../contract-version.js'
import type { SqlSession } from '../session.js'
import { findAccess } from './commit-access.js'
import {
  chartField,
  groupCondition,
  groupSeriesFields,
  MAX_NAME_BYTES,
  SMALL_BYTES,
  type MeasurementGroup,
} from './groups.js'
import { readByTime, type PointQuery } from './history-by-time.js'
import { byteSum, foundRows, withinBytes } from './within-bytes.js'
import type { TextRow } from './rows.js'

const UNCOMPRESSED = 'uncompressed_bytes'
const RUNS = 'all_runtimes_ns'

export function hasUncompressed({ fields }: Kind): boolean {
  return fields.some(({ name }) => name === UNCOMPRESSED)
}

export function hasRuns({ fields }: Kind): boolean {
  return fields.some(({ name }) => name === RUNS)
}

export type SeriesHistory = {
  /** Values of the `groupSeriesFields`. A dimension that an older database lacks has its default. */
  readonly key: readonly string[]
  /**
   * The points as text, separated by commas. A point is the place of its commit in the given list, the value, and where they are
   * known the size before compression or the two quartiles of the runs, separated by spaces.
   */
  readonly points: string
  /** Target triple of the machine that measured the newest value; null when it is unknown, or was not asked for. */
  readonly platform: string | null
}

export type GroupHistory = {
  readonly series: readonly SeriesHistory[]
  /** Whether the group has more series. */
  readonly more: boolean
}

export type GroupHistoryOptions = {
  readonly shas: readonly string[]
  /** Number of series. */
  readonly limit: number
  /** Whether to read the quartiles of the runs. */
  readonly withRuns: boolean
  /** Whether to read the machines of timed series. Default: false. */
  readonly withPlatform?: boolean
  /** A table of up to this size is read whole. */
  readonly smallBytes?: number
}

/** Bytes of the names and points of a history. */
const HISTORY_BYTES = 8 * 1024 * 1024

/**
 * Reads the history of a group. In a large table only an index is read, if there is one by series and commit time and the rows have
 * the times of their commits. Otherwise the rows are found by their commits.
 */
export async function readGroupHistory(
  session: SqlSession,
  { kind: newest, values }: MeasurementGroup,
  options: GroupHistoryOptions,
): Promise<GroupHistory> {
  const group = { kind: await storedKind(session, newest), values }
  const { smallBytes = SMALL_BYTES, shas, limit, withRuns, withPlatform = false } = options
  const [access] = await findAccess(session, [group.kind], smallBytes)
  const reading = { point: pointText(group.kind, withRuns), withPlatform: withPlatform && hasRuns(group.kind) }
  const query = { group, shas, limit: limit + 1, mostBytes: HISTORY_BYTES, ...reading }
  const isTimed = access?.isTimed === true && access.tableBytes > smallBytes
  const found = isTimed ? await readByTime(session, access.indexed, query) : undefined
  const rows = found ?? (await readByCommit(session, query))
  const series = rows.slice(0, limit).map(row => ({
    ...{ key: seriesKey(newest, row), points: row['points'] ?? '', platform: row['platform'] ?? null },
  }))
  return { series, more: series.length < foundRows(rows) }
}

/** One row for each series, with its dimensions and its `points`. The database gathers the points. */
async function readByCommit(
  session: SqlSession,
  { group, shas, limit, mostBytes, point, withPlatform }: PointQuery,
): Promise<readonly TextRow[]> {
  const { kind } = group
  const by = groupSeriesFields(kind).map(({ name }) => name)
  const { sql, values } = groupCondition(group, 2)
  const names = by.map(name => `${kind.table}.${name}`)
  const bytes = byteSum(names.map(name => `${name}::text`))
  const platform = withPlatform ? ', (array_agg(env_triple ORDER BY place DESC))[1] AS platform' : ''
  const history = `
    SELECT ${by.map(name => `${name}::text AS ${name}`).join(', ')},
      row_number() OVER (ORDER BY ${names.join(', ')}) AS place, ${bytes} AS bytes,
      string_agg((place - 1) || ' ' || ${point}, ',') AS points${platform}
    FROM public.${kind.table} JOIN unnest($1::text[]) WITH ORDINALITY AS chosen (sha, place) ON commit_sha = sha
    WHERE ${sql} GROUP BY ${names.join(', ')} HAVING ${bytes} <= ${MAX_NAME_BYTES}
    ORDER BY ${names.join(', ')} LIMIT ${limit}`
  const sized = `SELECT *, bytes + octet_length(points) AS weight FROM (${history}) AS history`
  return session.query<TextRow>(withinBytes(sized, mostBytes), [shas, ...values])
}

function seriesKey(newest: Kind, row: TextRow): readonly string[] {
  return groupSeriesFields(newest).map(({ name, conditional }) => row[name] ?? conditional ?? '')
}

/** SQL for the point of a row: its value, and where they are known the size before compression or the quartiles of the runs. */
function pointText(kind: Kind, withRuns: boolean): string {
  const value = chartField(kind).name
  if (hasUncompressed(kind)) return `${value} || coalesce(' ' || ${UNCOMPRESSED}, '')`
  if (!withRuns || !hasRuns(kind)) return `${value}::text`
  return `${value} || coalesce(' ' || (
    SELECT translate(percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY run)::text, ',{}', ' ')
    FROM unnest(${RUNS}) AS run
  ), '')`
}
