/** The card that describes a commit: its metadata and the values of the lines nearest to the cursor. */

import type { HistoryCommit } from '../../server/read/history-answer.js'
import { element, svgElement, webLink } from '../element.js'
import { formatTime, formatValue, shortSha, type Unit } from '../format.js'
import type { DrawnLine } from './options.js'

/** Number of lines that can be read at a glance. */
const SHOWN = 8

export type CardContent = {
  readonly commit: HistoryCommit
  readonly at: number
  readonly lines: readonly DrawnLine[]
  readonly nearest: DrawnLine | undefined
  readonly unit: Unit
  readonly besideUnit: Unit | undefined
}

export function cardOf(content: CardContent): readonly HTMLElement[] {
  const { commit } = content
  const { sha, message, author, timestamp, url } = commit
  return [
    element('p', { class: 'card-message' }, message || 'no message'),
    element(
      'p',
      { class: 'card-commit' },
      webLink(url, shortSha(sha), { class: 'sha' }),
      ` ${formatTime(timestamp)}`,
      author === '' ? undefined : ` · ${author}`,
    ),
    element('table', {}, element('tbody', {}, ...around(content).map(line => row(line, content)))),
  ]
}

/** The card's content as text for a screen reader. */
export function spoken(content: CardContent): string {
  const { commit, at, unit } = content
  const lines = around(content).map(line => {
    const beside = besideOf(line, content)
    return `${line.name} ${formatValue(line.values[at]!, unit)}${beside === '' ? '' : ` (${beside})`}`
  })
  return `${shortSha(commit.sha)}, ${formatTime(commit.timestamp)}: ${commit.message}. ${lines.join('; ')}`
}

/** The lines with a value at the commit, ordered by value and centred on the nearest one. At most SHOWN lines. */
function around({ lines, at, nearest }: CardContent): readonly DrawnLine[] {
  const known = lines.filter(({ values }) => typeof values[at] === 'number')
  const sorted = known.sort((one, other) => other.values[at]! - one.values[at]!)
  const place = nearest === undefined ? 0 : sorted.indexOf(nearest)
  const first = Math.max(0, Math.min(sorted.length - SHOWN, place - SHOWN / 2))
  return sorted.slice(first, first + SHOWN)
}

function row(line: DrawnLine, content: CardContent): HTMLElement {
  const { at, unit, besideUnit, nearest } = content
  const beside = element('td', { class: 'number quiet' }, besideOf(line, content))
  return element(
    'tr',
    { class: line === nearest ? 'nearest' : undefined },
    element('td', {}, swatch(line)),
    element('td', {}, line.name),
    element('td', { class: 'number' }, formatValue(line.values[at]!, unit)),
    ...(besideUnit === undefined ? [] : [beside]),
  )
}

/** The other measure of a line at the commit, formatted. Empty when it is unknown. */
function besideOf({ beside }: DrawnLine, { at, besideUnit }: CardContent): string {
  const value = beside?.[at] ?? null
  return value === null || besideUnit === undefined ? '' : formatValue(value, besideUnit)
}

/** A short sample of the line in its style. */
export function swatch({ style }: Pick<DrawnLine, 'style'>): SVGSVGElement {
  const stroke = { stroke: style.colour, 'stroke-width': 3, 'stroke-dasharray': style.dash.join(' ') || undefined }
  const line = svgElement('line', { x1: 0, y1: 5, x2: 24, y2: 5, ...stroke })
  return svgElement('svg', { class: 'swatch', width: 24, height: 10, 'aria-hidden': 'true' }, line)
}
