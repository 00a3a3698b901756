/** Finds the change points of all series along one history of stored commits, for `changes` and for the page of a server. */

import { findAlignedChanges } from '../analysis/align-changes.js'
import type { AnalysedSeries, ChangePoint } from '../analysis/history-changes.js'
import { valueFields } from '../analysis/series.js'
import type { FirstParentHistory, HistoryReader, LookUp, SeriesValues } from './commit-reader.js'
import type { AnalysedHistory } from './found-changes.js'

export type HistoryAnalysisOptions = {
  /** The newest commit of the history by name. Default: HEAD if its history is stored, otherwise the newest stored commit. */
  readonly head?: string | undefined
  readonly lookUp: LookUp
  /** Reads the history of a commit. */
  readonly readLine: (sha: string) => Promise<FirstParentHistory>
  /** The maximum number of stored commits that are analysed, from the newest. */
  readonly mostMeasured: number
  /** Chooses series. Default: all. */
  readonly isChosen?: (series: SeriesValues) => boolean
  /** The smallest ratio of two levels that counts as a change. */
  readonly threshold: number
  /** Default: `findAlignedChanges` in this thread. */
  readonly find?: (series: readonly AnalysedSeries[], threshold: number) => Promise<readonly ChangePoint[]>
}

export type HistoryAnalysis = Omit<AnalysedHistory, 'accepted' | 'line'> & {
  readonly line: FirstParentHistory
  readonly points: readonly ChangePoint[]
}

/** @returns undefined when no commit is stored */
export async function analyseHistory(
  reader: HistoryReader,
  options: HistoryAnalysisOptions,
): Promise<HistoryAnalysis | undefined> {
  const { threshold, isChosen = () => true, find = findInThisThread } = options
  const history = await findHistory(reader, options)
  if (history === undefined) return undefined
  const { line, stored } = history
  const all = await reader.history(stored.map(({ sha }) => sha))
  const series = all.filter(isChosen)
  const points = series.length === 0 ? [] : await find(series.map(toAnalysed), threshold)
  return { line, stored, series, points }
}

type StoredHistory = Pick<HistoryAnalysis, 'line' | 'stored'>

async function findHistory(reader: HistoryReader, options: HistoryAnalysisOptions): Promise<StoredHistory | undefined> {
  const { head: name, lookUp } = options
  if (name !== undefined) return readMeasured(reader, (await reader.find(name, lookUp)).sha, options)
  const head = await lookUp('HEAD')
  const line = head === undefined ? undefined : await readMeasured(reader, head, options)
  if (line !== undefined && line.stored.length > 0) return line
  const newest = await findNewestOfLongest(reader)
  return newest === undefined ? undefined : readMeasured(reader, newest, options)
}

/** Number of newest commits by time among which the newest commit of the main line is looked for. */
const NEWEST = 300
/** Number of commits without stored children whose histories are compared. */
const MOST_HEADS = 10

/**
 * The newest commit whose first-parent history has the most of the newest stored commits. The newest commit by time may belong to
 * a branch that left the main line long ago.
 */
async function findNewestOfLongest(reader: HistoryReader): Promise<string | undefined> {
  const newest = (await reader.newest(NEWEST)).map(({ sha }) => sha)
  const seen = new Set<string>()
  let best = { sha: newest[0], length: 0 }
  for (let heads = 0; heads < MOST_HEADS; heads++) {
    const sha = newest.find(one => !seen.has(one))
    if (sha === undefined) break
    const { shas } = await reader.firstParents(sha, NEWEST)
    const known = new Set(shas)
    const length = newest.filter(one => known.has(one)).length
    if (length > best.length) best = { sha, length }
    for (const one of shas) seen.add(one)
  }
  return best.sha
}

async function readMeasured(
  reader: HistoryReader,
  head: string,
  { readLine, mostMeasured }: HistoryAnalysisOptions,
): Promise<StoredHistory> {
  const line = await readLine(head)
  const stored = await reader.stored(line.shas)
  return { line, stored: stored.slice(0, mostMeasured).reverse() }
}

/** The machine of a series is the platform that measured it last. */
function toAnalysed({ kind, values, platforms }: SeriesValues): AnalysedSeries {
  const platform = platforms.findLast((_, commit) => !Number.isNaN(values[commit]!))
  return { values, machine: valueFields(kind).timed ? (platform ?? 'unknown') : undefined }
}

async function findInThisThread(series: readonly AnalysedSeries[], threshold: number): Promise<readonly ChangePoint[]> {
  return findAlignedChanges(series, threshold)
}
