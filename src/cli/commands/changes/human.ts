/** Prints change points on a terminal. */

import type { ChangesResult } from '../../../delivery/changes.js'
import type { CommitChanges } from '../../../delivery/found-changes.js'
import { table } from '../../output/table.js'
import { count, type Report } from '../../output/report.js'
import type { SeriesNamer } from '../compare/words.js'
import { changeCells, changesHeadline, changesNamer, changesNotes, commitText, remarks } from './words.js'

/** Number of series that are listed for each commit, unless the user asked for all of them. */
export const MAX_SERIES = 10

export function printChanges(report: Report, result: ChangesResult, verbose: boolean): void {
  const { good, word, rest } = changesHeadline(result)
  report.verdict(good, word, rest)
  const name = changesNamer(result)
  for (const commit of result.commits) printCommit(report, commit, { name, verbose })
  for (const note of changesNotes(result)) report.result(`note: ${note}`)
}

function printCommit(
  report: Report,
  found: CommitChanges,
  { name, verbose }: { readonly name: SeriesNamer; readonly verbose: boolean },
): void {
  const { commit, changes } = found
  report.result(commitText(commit))
  const shown = verbose ? changes : changes.slice(0, MAX_SERIES)
  for (const line of table(shown.map(change => [...changeCells(change), name(change)]))) report.result(`  ${line}`)
  if (shown.length < changes.length) report.result(`  … and ${count(changes.length - shown.length)} more series (-v)`)
  for (const remark of remarks(found)) report.result(`  ${remark}`)
}
