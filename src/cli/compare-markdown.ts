/** A comparison as Markdown, for a pull request or a step summary. */

import {
  evidence,
  headline,
  isNotable,
  nameOf,
  notes,
  ratioText,
  seriesName,
  valuesOf,
  type Compared,
} from './compare-words.js'
import { MOST_LINES } from './compare-print.js'
import { count, type Report } from './report.js'

export function printMarkdown(report: Report, compared: Compared, verbose: boolean): void {
  const { word, rest } = headline(compared)
  const { changes, suites, threshold, onlyBase, onlyHead } = compared
  const notable = verbose ? changes : changes.filter(change => isNotable(change, threshold))
  const shown = verbose ? notable : notable.slice(0, MOST_LINES)
  const rows = shown.map(change => [
    ...[change.verdict, ratioText(change.ratio), evidence(change), valuesOf(change)],
    code(nameOf(change)),
  ])
  const means = suites.map(({ kind, dataset, series, ratio }) => [
    ...[code(kind.kind), code(dataset), count(series), ratioText(ratio)],
  ])
  const blocks = [
    [`**${word}** ${escaped(rest)}`],
    table(['verdict', 'ratio', 'evidence', 'BASE → HEAD', 'series'], rows),
    notable.length > shown.length ? [`… and ${count(notable.length - shown.length)} more that changed.`] : [],
    table(['kind', 'dataset', 'series', 'geometric mean'], means),
    verbose ? onlyBase.map(series => `- only in BASE: ${code(seriesName(series))}`) : [],
    verbose ? onlyHead.map(series => `- only in HEAD: ${code(seriesName(series))}`) : [],
    notes(compared).map(note => `- ${escaped(note)}`),
  ]
  report.result(
    blocks
      .filter(lines => lines.length > 0)
      .map(lines => lines.join('\n'))
      .join('\n\n'),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return []
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`)
}

/** Text from outside must stay text, and stay in its cell. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|#&@]/g, '\\$&')
}

/** A code span; in a table a bar ends the cell even there. */
function code(text: string): string {
  if (text === '') return ''
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map(run => run.length))
  const [fence, pad] = ['`'.repeat(longest + 1), longest > 0 ? ' ' : '']
  return `${fence}${pad}${text.replaceAll('|', '\\|')}${pad}${fence}`
}
