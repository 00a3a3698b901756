/** Wording of change points, shared by the formats for people. */

import type { AcceptedChange } from '../../../analysis/accepted-change.js'
import { MOST_FALSE } from '../../../analysis/history-changes.js'
import type { ChangesResult } from '../../../delivery/changes.js'
import type { StoredCommit } from '../../../delivery/commit-reader.js'
import { isNewRegression, type CommitChanges, type FoundChange } from '../../../delivery/found-changes.js'
import { oneLine } from '../../../visible-text.js'
import { count, plural } from '../../output/report.js'
import { ratioText, seriesNamer, unitOf, type SeriesNamer } from '../compare/words.js'

export type ChangesHeadline = { readonly good: boolean; readonly word: string; readonly rest: string }

/** With fewer commits, no change could be told from noise. */
const FEWEST_COMMITS = 4

export function changesHeadline({ commits, series, line, target }: ChangesResult): ChangesHeadline {
  const history = `${plural(series, 'series', 'series')} at ${plural(line.measured, 'stored commit')} up to ${shortId(line.head)} in ${target}`
  const guilty = commits.filter(({ changes }) => changes.some(isNewRegression)).length
  if (guilty > 0)
    return {
      good: false,
      word: 'regressed:',
      rest: `${plural(guilty, 'commit')} made series slower or larger; ${history}`,
    }
  if (line.measured < FEWEST_COMMITS)
    return {
      good: true,
      word: 'inconclusive:',
      rest: `at least ${FEWEST_COMMITS} stored commits are needed; ${history}`,
    }
  if (commits.length === 0) return { good: true, word: 'no change:', rest: history }
  const isAccepted = commits.some(({ changes }) => changes.some(({ accepted }) => accepted !== undefined))
  const what = isAccepted ? 'changed for the better or as accepted' : 'made series faster or smaller'
  return {
    good: true,
    word: isAccepted ? 'accepted:' : 'better:',
    rest: `${plural(commits.length, 'commit')} ${what}; ${history}`,
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

/** `1f0c3b7 by ann 2026-02-03: reads every page` */
export function acceptedText({ commit, series, by, at, note, withdrawn }: AcceptedChange): string {
  const patterns = series.length === 0 ? '' : ` for ${series.join(', ')}`
  const end = withdrawn === undefined ? '' : `; withdrawn by ${withdrawn.by} ${withdrawn.at.slice(0, 10)}`
  return oneLine(`${commit.slice(0, 7)}${patterns} accepted by ${by} ${at.slice(0, 10)}: ${note}${end}`)
}

/** Notes about the analysis as a whole. */
export function changesNotes({ line, threshold, acceptedProblem }: ChangesResult): readonly string[] {
  const { note, source, commits, measured } = line
  const order = { git: 'git', hosting: 'the hosting service', database: 'stored parents', time: 'time only' }[source]
  return [
    `changes: q ≤ ${MOST_FALSE} and a ratio of ${threshold} or more, or 1/${threshold} or less`,
    `history: ${count(measured)} of ${plural(commits, 'commit')} are stored; their order is by ${order}`,
    ...(note === undefined ? [] : [note]),
    ...(acceptedProblem === undefined ? [] : [acceptedProblem]),
  ]
}
