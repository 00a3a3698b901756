/** A comparison as Markdown, for a pull request or a step summary. */

import type { CompareResult } from '../../../delivery/compare.js'
import { cellsOf, changeLines, COLUMNS, lonelyLines } from './rows.js'
import { comparedNamer, headline, notes, ratioText, seriesOf } from './words.js'
import { oneLine } from '../../../visible-text.js'
import { count, type Report } from '../../output/report.js'

export function printMarkdown(report: Report, compared: CompareResult, verbose: boolean): void {
  report.result(markdownOf(compared, verbose))
}

export function markdownOf(compared: CompareResult, verbose: boolean): string {
  const { word, rest } = headline(compared)
  const { shown, hidden } = changeLines(compared, verbose)
  const name = comparedNamer(compared)
  const rows = shown.map(change => [...cellsOf(change), code(name(seriesOf(change)))])
  const means = compared.datasets.map(({ kind, dataset, series, ratio }) => [
    ...[code(kind.kind), code(dataset), count(series), ratioText(ratio)],
  ])
  const blocks = [
    [`**${word}** ${escaped(rest)}`],
    table([...COLUMNS, 'series'], rows),
    hidden > 0 ? [`… and ${count(hidden)} more that changed.`] : [],
    table(['kind', 'dataset', 'series', 'geometric mean'], means),
    verbose ? lonelyLines(compared, code).map(line => `- ${line}`) : [],
    notes(compared).map(note => `- ${escaped(note)}`),
  ]
  return blocks
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return []
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`)
}

/** Escapes untrusted text, so that it contains no Markdown and cannot end its table cell. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|#&@]/g, '\\$&')
}

/** A code span on one line. Bars are escaped because they end a table cell even inside a code span. */
function code(name: string): string {
  const text = oneLine(name)
  if (text === '') return ''
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map(run => run.length))
  const [fence, pad] = ['`'.repeat(longest + 1), longest > 0 ? ' ' : '']
  return `${fence}${pad}${text.replaceAll('|', '\\|')}${pad}${fence}`
}
