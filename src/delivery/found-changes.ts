/** Groups change points by the commits that made them, the worst first. */

import { appliesTo, type AcceptedChange } from '../analysis/accepted-change.js'
import type { ChangePoint } from '../analysis/history-changes.js'
import { valueFields, type SeriesIdentity } from '../analysis/series.js'
import type { Kind } from '../contract/kinds.js'
import type { SeriesValues, StoredCommit } from './commit-reader.js'

export type FoundChange = SeriesIdentity & {
  readonly verdict: 'slower' | 'faster' | 'larger' | 'smaller'
  /** The new level divided by the old level. */
  readonly ratio: number
  /** The old and the new level, in nanoseconds or bytes. */
  readonly before: number
  readonly after: number
  /** The p-value, corrected for the number of commits. */
  readonly p: number
  /** The p-value, corrected for the number of series too. */
  readonly q: number
  /** The first and the last commit at which, as far as noise shows, the level may have changed. */
  readonly earliest: string
  readonly latest: string
  /** Ids of the commits before the one of the change that were not measured, newest first. Any of them may have made it. */
  readonly unmeasured: readonly string[]
  /** The record that somebody has accepted the change. */
  readonly accepted: AcceptedChange | undefined
}

export type CommitChanges = {
  readonly commit: StoredCommit
  /** The changes of the commit: new regressions first, then improvements, then accepted changes; the largest of each first. */
  readonly changes: readonly FoundChange[]
  /** Whether nearly all series of a machine changed in the same direction, so that the machine may be the cause. */
  readonly isShared: boolean
}

export type AnalysedHistory = {
  /** Ids of all commits, newest first. */
  readonly shas: readonly string[]
  readonly stored: readonly StoredCommit[]
  readonly series: readonly SeriesValues[]
  readonly accepted: readonly AcceptedChange[]
}

export function groupByCommit(points: readonly ChangePoint[], known: AnalysedHistory): readonly CommitChanges[] {
  const indices = [...new Set(points.map(({ commit }) => commit))]
  const groups = indices.map(index => {
    const own = points.filter(({ commit }) => commit === index).map(point => toFoundChange(point, known))
    return {
      commit: known.stored[index]!,
      changes: own.sort(worstFirst),
      isShared: isSharedBy(own, known.series, index),
    }
  })
  return groups.sort((one, other) => worstFirst(one.changes[0]!, other.changes[0]!))
}

export function toFoundChange(point: ChangePoint, { shas, stored, series, accepted }: AnalysedHistory): FoundChange {
  const { oldLevel, newLevel, before, commit, earliest, latest, p, q } = point
  const { kind, dimensions } = series[point.series]!
  const shaAt = (index: number): string => stored[index]!.sha
  const unmeasured = shas.slice(shas.indexOf(shaAt(commit)) + 1, shas.indexOf(shaAt(before)))
  // As more commits are measured, the likeliest commit of a change may move among those that noise leaves open.
  const open = stored.slice(earliest, latest + 1).map(({ sha }) => sha)
  const candidates = new Set([...open, ...unmeasured])
  return {
    ...{ kind, dimensions, p, q, ratio: newLevel / oldLevel, before: oldLevel, after: newLevel, unmeasured },
    verdict: verdictOf(kind, newLevel > oldLevel),
    ...{ earliest: shaAt(earliest), latest: shaAt(latest) },
    accepted: accepted.find(one => candidates.has(one.commit) && appliesTo(one, { kind, dimensions })),
  }
}

function verdictOf(kind: Kind, isMore: boolean): FoundChange['verdict'] {
  if (valueFields(kind).timed) return isMore ? 'slower' : 'faster'
  return isMore ? 'larger' : 'smaller'
}

/** Whether a series got slower or larger and nobody has accepted that. */
export function isNewRegression({ ratio, accepted }: FoundChange): boolean {
  return ratio > 1 && accepted === undefined
}

/** New regressions come first, then improvements, then accepted changes; the largest of each first. */
function worstFirst(one: FoundChange, other: FoundChange): number {
  const rank = (change: FoundChange): number => (change.accepted !== undefined ? 2 : isNewRegression(change) ? 0 : 1)
  return rank(one) - rank(other) || Math.abs(Math.log(other.ratio)) - Math.abs(Math.log(one.ratio))
}

const MIN_SHARED = 8
const SHARED_SHARE = 0.8

function isSharedBy(changes: readonly FoundChange[], series: readonly SeriesValues[], commit: number): boolean {
  const timed = series.filter(({ kind, values }) => valueFields(kind).timed && !Number.isNaN(values[commit]!))
  const inOneDirection = (['slower', 'faster'] as const).map(
    verdict => changes.filter(change => change.verdict === verdict).length,
  )
  return timed.length >= MIN_SHARED && Math.max(...inOneDirection) >= SHARED_SHARE * timed.length
}
