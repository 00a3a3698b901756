/** Prints a comparison on a terminal: the verdict, the changed series, the datasets and the notes. */

import type { CompareResult } from '../../../delivery/compare.js'
import type { DatasetSummary } from '../../../analysis/comparison.js'
import type { SeriesChange } from '../../../analysis/judge.js'
import { cellsOf, changeLines, firstOf, lonelyLines } from './rows.js'
import { comparedNamer, headline, notes, ratioText, seriesOf, type SeriesNamer } from './words.js'
import { oneLine } from '../../../visible-text.js'
import { count, plural, type Report } from '../../output/report.js'

export type PrintOptions = {
  /** Print every series, not only the series that changed most. */
  readonly verbose: boolean
  /** Width of the terminal in characters; undefined if the output is not a terminal. */
  readonly columns: number | undefined
}

export function printCompared(
  report: Report,
  compared: CompareResult,
  { verbose, columns = Infinity }: PrintOptions,
): void {
  const { good, word, rest } = headline(compared)
  report.verdict(good, word, rest)
  const changes = changeLines(compared, verbose)
  const name = comparedNamer(compared)
  for (const line of tableLines(changes.shown, { columns, name })) report.result(line)
  const more = plural(changes.hidden, 'more that changed', 'more that changed')
  if (changes.hidden > 0) report.result(`  … and ${more} (-v shows all)`)
  const datasets = firstOf(compared.datasets, verbose)
  if (datasets.shown.length > 0) report.result('datasets, geometric mean of the ratios:')
  for (const line of datasetLines(datasets.shown, columns)) report.result(line)
  if (datasets.hidden > 0) report.result(`  … and ${count(datasets.hidden)} more (-v)`)
  if (verbose) for (const line of lonelyLines(compared)) report.result(line)
  for (const note of notes(compared)) for (const line of wrapped(`note: ${note}`, columns)) report.result(line)
}

type TableOptions = { readonly columns: number; readonly name: SeriesNamer }

/** One line per series. If a line would be too long, the name goes on a separate line. */
function tableLines(changes: readonly SeriesChange[], { columns, name: nameOf }: TableOptions): readonly string[] {
  const cells = changes.map(cellsOf)
  const widths = [0, 1, 2, 3].map(column => Math.max(0, ...cells.map(row => row[column]?.length ?? 0)))
  return changes.flatMap((change, index) => {
    const [verdict = '', ...others] = cells[index] ?? []
    const figures = others.map((cell, column) => cell.padStart(widths[column + 1] ?? 0)).join('  ')
    const line = `  ${verdict.padEnd(widths[0] ?? 0)}  ${figures}`
    const name = nameOf(seriesOf(change))
    if (line.length + 2 + name.length <= columns) return [`${line}  ${name}`]
    const narrow = [`  ${change.verdict}  ${others.join('  ')}`, `    ${name}`]
    return (line.length <= columns ? [line, `    ${name}`] : narrow).flatMap(part => wrapped(part, columns))
  })
}

function datasetLines(datasets: readonly DatasetSummary[], columns: number): readonly string[] {
  return datasets.flatMap(({ kind, dataset, series, ratio }) =>
    wrapped(`  ${ratioText(ratio).padStart(8)}  ${oneLine(`${kind.kind} ${dataset}`)} (${count(series)})`, columns),
  )
}

/** Breaks text at spaces and indents the following lines. A word that is longer than a line is not broken. */
function wrapped(text: string, columns: number): readonly string[] {
  const indent = /^ */.exec(text)?.[0] ?? ''
  const lines: string[] = []
  let line = indent
  for (const word of text.slice(indent.length).split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = `${indent}  ${word}`
    } else line += line.trim() === '' ? word : ` ${word}`
  }
  return [...lines, line]
}
