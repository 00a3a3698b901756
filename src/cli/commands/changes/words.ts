/** Wording of change points, shared by the formats for people. */

import type { AcceptedChange } from '../../../analysis/accepted-change.js'
import { MAX_FALSE } from '../../../analysis/history-changes.js'
import type { ChangesResult } from '../../../delivery/changes.js'
import type { StoredCommit } from '../../../delivery/commit-reader.js'
import { isNewRegression, type CommitChanges, type FoundChange } from '../../../delivery/found-changes.js'
import { oneLine } from '../../../visible-text.js'
import { count, plural } from '../../output/report.js'
import { ratioText, seriesNamer, unitOf, type SeriesNamer } from '../compare/words.js'

export type ChangesHeadline = { readonly good: boolean; readonly word: string; readonly rest: string }

/** With fewer commits, no change could be told from noise. */
const MIN_COMMITS = 4

export function changesHeadline({ commits, series, history, target }: ChangesResult): ChangesHeadline {
  const measured = plural(history.measured, 'stored commit')
  const analysed = `analysed ${plural(series, 'series', 'series')} at ${measured} up to ${shortId(history.head)} in ${target}`
  const guilty = commits.filter(({ changes }) => changes.some(isNewRegression)).length
  if (guilty > 0)
    return {
      good: false,
      word: 'regressed:',
      rest: `${plural(guilty, 'commit')} made series slower or larger; ${analysed}`,
    }
  if (history.measured < MIN_COMMITS)
    return {
      good: true,
      word: 'inconclusive:',
      rest: `at least ${MIN_COMMITS} stored commits are needed; ${analysed}`,
    }
  if (commits.length === 0) return { good: true, word: 'no change:', rest: analysed }
  const isAccepted = commits.some(({ changes }) => changes.some(({ accepted }) => accepted !== undefined))
  const what = isAccepted ? 'changed series, and every regression is accepted' : 'made series faster or smaller'
  return {
    good: true,
    word: isAccepted ? 'accepted:' : 'improved:',
    rest: `${plural(commits.length, 'commit')} ${what}; ${analysed}`,
  }
}

/** `1f0c3b7 2026-02-03 Read fewer bytes (Zoë)` */
export function commitText(commit: StoredCommit): string {
  const { timestamp, subject, author } = commit
  const by = author === '' ? '' : ` (${author})`
  return oneLine(`${shortId(commit)} ${timestamp.slice(0, 10)} ${subject}${by}`)
}

function shortId({ sha }: Pick<StoredCommit, 'sha'>): string {
  return sha.slice(0, 7)
}

export const CHANGE_COLUMNS = ['verdict', 'ratio', 'confidence', 'before → after'] as const

/** The table cells of a change, in the order of `CHANGE_COLUMNS`. */
export function changeCells({ verdict, ratio, q, before, after, kind, accepted }: FoundChange): readonly string[] {
  const values = `${count(Math.round(before))} → ${count(Math.round(after))} ${unitOf({ kind })}`
  return [accepted === undefined ? verdict : `${verdict}, accepted`, ratioText(ratio), confidenceText(q), values]
}

function confidenceText(q: number): string {
  return q < 1e-4 ? '> 99.99 %' : `${((1 - q) * 100).toFixed(2)} %`
}

export function changesNamer({ commits }: ChangesResult): SeriesNamer {
  return seriesNamer(commits.flatMap(({ changes }) => changes))
}

/** Remarks about the changes of one commit. */
export function remarks({ commit, changes, isShared }: CommitChanges): readonly string[] {
  const unmeasured = Math.max(0, ...changes.map(one => one.unmeasured.length))
  const uncertain = changes.filter(({ earliest, latest }) => earliest !== latest).length
  const acceptances = new Set(changes.flatMap(({ accepted }) => accepted ?? []))
  return [
    ...(unmeasured > 0
      ? [
          `${plural(unmeasured, 'commit')} before ${shortId(commit)} ${unmeasured === 1 ? 'was' : 'were'} not measured and may be the cause`,
        ]
      : []),
    ...(isShared ? ['nearly all series of a machine changed together: the machine may be the cause'] : []),
    ...(uncertain > 0
      ? [`for ${plural(uncertain, 'series', 'series')} a neighbouring commit may be the cause, because of noise`]
      : []),
    ...[...acceptances].map(accepted => acceptedText(accepted)),
  ]
}

/** `1f0c3b7 was accepted by ann on 2026-02-03: reads every page` */
export function acceptedText({ commit, series, by, at, note, withdrawn }: AcceptedChange): string {
  const change = `${commit.slice(0, 7)}${series.length === 0 ? '' : ` for ${series.join(', ')}`}`
  const end = withdrawn === undefined ? '' : `; withdrawn by ${withdrawn.by} on ${withdrawn.at.slice(0, 10)}`
  return oneLine(`${change} was accepted by ${by} on ${at.slice(0, 10)}: ${note}${end}`)
}

/** Notes about the analysis as a whole. */
export function changesNotes({ history, threshold, acceptedProblem }: ChangesResult): readonly string[] {
  const { note, source, commits, measured } = history
  const order = { git: 'git', hosting: 'the hosting service', database: 'the stored parents', time: 'time' }[source]
  return [
    `a change is listed if q ≤ ${MAX_FALSE} and its ratio is at least ${threshold} or at most 1/${threshold}`,
    `history: ${count(measured)} of ${plural(commits, 'commit')} ${measured === 1 ? 'is' : 'are'} stored, ordered by ${order}`,
    ...(note === undefined ? [] : [note]),
    ...(acceptedProblem === undefined ? [] : [acceptedProblem]),
  ]
}
