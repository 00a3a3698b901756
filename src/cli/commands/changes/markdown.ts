/** Change points as Markdown, for a step summary or a comment. */

import type { ChangesResult } from '../../../delivery/changes.js'
import type { CommitChanges } from '../../../delivery/found-changes.js'
import { markdownTable, markdownText } from '../../output/github/markdown.js'
import { count } from '../../output/report.js'
import type { SeriesNamer } from '../compare/words.js'
import { MAX_SERIES } from './human.js'
import {
  CHANGE_COLUMNS,
  changeCells,
  changesHeadline,
  changesNamer,
  changesNotes,
  commitText,
  remarks,
} from './words.js'

export function changesMarkdown(result: ChangesResult, verbose: boolean): string {
  const { word, rest } = changesHeadline(result)
  const name = changesNamer(result)
  const notes = changesNotes(result).map(note => `- ${markdownText(note)}`)
  return [
    `**${word}** ${markdownText(rest)}`,
    ...result.commits.flatMap(found => commitBlocks(found, { name, verbose })),
    notes.join('\n'),
  ].join('\n\n')
}

function commitBlocks(
  found: CommitChanges,
  { name, verbose }: { readonly name: SeriesNamer; readonly verbose: boolean },
): readonly string[] {
  const { commit, changes } = found
  const shown = verbose ? changes : changes.slice(0, MAX_SERIES)
  const rows = shown.map(change => [...changeCells(change), name(change)].map(markdownText))
  const more = changes.length - shown.length
  const remarkLines = remarks(found).map(remark => `- ${markdownText(remark)}`)
  return [
    `#### ${markdownText(commitText(commit))}`,
    markdownTable([...CHANGE_COLUMNS, 'series'], rows, CHANGE_COLUMNS.length + 1),
    ...(more > 0 ? [`… and ${count(more)} more series.`] : []),
    ...(remarkLines.length > 0 ? [remarkLines.join('\n')] : []),
  ]
}
