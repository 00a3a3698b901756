/** Finds the change points of all series along one history of stored commits, for `changes` and for the page of a server. */

import { findAlignedChanges } from '../analysis/align-changes.js'
import type { AnalysedSeries, ChangePoint } from '../analysis/history-changes.js'
import { valueFields } from '../analysis/series.js'
import type { FirstParentHistory, HistoryReader, LookUp, SeriesValues } from './commit-reader.js'
import type { AnalysedHistory } from './found-changes.js'

export type HistoryAnalysisOptions = {
  /** The newest commit of the history by name. Default: HEAD if its history is stored, otherwise that of the main line. */
  readonly head?: string | undefined
  readonly lookUp: LookUp
  /** Reads the history of a commit. */
  readonly readHistory: (sha: string) => Promise<FirstParentHistory>
  /** The maximum number of stored commits that are analysed, from the newest. */
  readonly maxMeasured: number
  /** Chooses series. Default: all. */
  readonly isChosen?: (series: SeriesValues) => boolean
  /** The smallest ratio of two levels that counts as a change. */
  readonly threshold: number
  /** Default: `findAlignedChanges` in this thread. */
  readonly find?: (series: readonly AnalysedSeries[], threshold: number) => Promise<readonly ChangePoint[]>
}

export type HistoryAnalysis = Omit<AnalysedHistory, 'accepted' | 'shas'> & {
  readonly history: FirstParentHistory
  readonly points: readonly ChangePoint[]
}

/** @returns undefined when no commit is stored */
export async function analyseHistory(
  reader: HistoryReader,
  options: HistoryAnalysisOptions,
): Promise<HistoryAnalysis | undefined> {
  const { threshold, isChosen = () => true, find = findInThisThread } = options
  const found = await findHistory(reader, options)
  if (found === undefined) return undefined
  const { history, stored } = found
  const all = await reader.history(stored.map(({ sha }) => sha))
  const series = all.filter(isChosen)
  const points = series.length === 0 ? [] : await find(series.map(toAnalysed), threshold)
  return { history, stored, series, points }
}

type StoredHistory = Pick<HistoryAnalysis, 'history' | 'stored'>

async function findHistory(reader: HistoryReader, options: HistoryAnalysisOptions): Promise<StoredHistory | undefined> {
  const { head: name, lookUp } = options
  if (name !== undefined) return readMeasured(reader, (await reader.find(name, lookUp)).sha, options)
  const head = await lookUp('HEAD')
  const found = head === undefined ? undefined : await readMeasured(reader, head, options)
  if (found !== undefined && found.stored.length > 0) return found
  const newest = await reader.mainHead()
  return newest === undefined ? undefined : readMeasured(reader, newest, options)
}

async function readMeasured(
  reader: HistoryReader,
  head: string,
  { readHistory, maxMeasured }: HistoryAnalysisOptions,
): Promise<StoredHistory> {
  const history = await readHistory(head)
  const stored = await reader.stored(history.shas)
  return { history, stored: stored.slice(0, maxMeasured).reverse() }
}

/** The machine of a series is the platform that measured it last. */
function toAnalysed({ kind, values, platforms }: SeriesValues): AnalysedSeries {
  const platform = platforms.findLast((_, commit) => !Number.isNaN(values[commit]!))
  return { values, machine: valueFields(kind).timed ? (platform ?? 'unknown') : undefined }
}

async function findInThisThread(series: readonly AnalysedSeries[], threshold: number): Promise<readonly ChangePoint[]> {
  return findAlignedChanges(series, threshold)
}
