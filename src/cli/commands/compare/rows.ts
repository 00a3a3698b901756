/** The lines of a comparison and their cells, shared by the terminal and Markdown formats. */

import type { CompareResult } from '../../../delivery/compare.js'
import type { SeriesChange } from '../../../analysis/judge.js'
import { evidence, isNotable, ratioText, comparedNamer, valuesOf } from './words.js'

/** Maximum number of lines per table, unless the user asked for all of them. */
const MAX_LINES = 20

export type Lines<Line> = {
  readonly shown: readonly Line[]
  /** Number of lines that are not shown. */
  readonly hidden: number
}

/** The series that changed most, or every series with `verbose`. */
export function changeLines({ changes, threshold }: CompareResult, verbose: boolean): Lines<SeriesChange> {
  return verbose
    ? firstOf(changes, true)
    : firstOf(
        changes.filter(change => isNotable(change, threshold)),
        false,
      )
}

export function firstOf<Line>(lines: readonly Line[], verbose: boolean): Lines<Line> {
  const shown = verbose ? lines : lines.slice(0, MAX_LINES)
  return { shown, hidden: lines.length - shown.length }
}

export const COLUMNS = ['verdict', 'ratio', 'evidence', 'BASE → HEAD'] as const

/** The table cells of a series, in the order of `COLUMNS`. */
export function cellsOf(
  change: SeriesChange,
): readonly [verdict: string, ratio: string, evidence: string, values: string] {
  return [change.verdict, ratioText(change.ratio), evidence(change), valuesOf(change)]
}

/** One line per series that only one of the commits has. @param format applied to each name */
export function lonelyLines(compared: CompareResult, format = (name: string): string => name): readonly string[] {
  const name = comparedNamer(compared)
  return [
    ...compared.onlyBase.map(series => `only in BASE: ${format(name(series))}`),
    ...compared.onlyHead.map(series => `only in HEAD: ${format(name(series))}`),
  ]
}
