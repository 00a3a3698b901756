/** The card about a commit: what it is, and what the lines around the cursor measured there. */

import type { HistoryCommit } from '../../server/read/history-answer.js'
import { element, svgElement, webLink } from '../element.js'
import { formatTime, formatValue, shortSha, type Unit } from '../format.js'
import type { DrawnLine } from './options.js'

/** As many as are read at a glance. */
const SHOWN = 8

export type CardContent = {
  readonly commit: HistoryCommit
  readonly at: number
  readonly lines: readonly DrawnLine[]
  readonly nearest: DrawnLine | undefined
  readonly unit: Unit
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

/** In one sentence, for who cannot see it. */
export function spoken(content: CardContent): string {
  const { commit, at, unit } = content
  const lines = around(content).map(({ name, values }) => `${name} ${formatValue(values[at]!, unit)}`)
  return `${shortSha(commit.sha)}, ${formatTime(commit.timestamp)}: ${commit.message}. ${lines.join('; ')}`
}

/** By value, the nearest one in their midst. */
function around({ lines, at, nearest }: CardContent): readonly DrawnLine[] {
  const known = lines.filter(({ values }) => typeof values[at] === 'number')
  const sorted = known.sort((one, other) => other.values[at]! - one.values[at]!)
  const place = nearest === undefined ? 0 : sorted.indexOf(nearest)
  const first = Math.max(0, Math.min(sorted.length - SHOWN, place - SHOWN / 2))
  return sorted.slice(first, first + SHOWN)
}

function row(line: DrawnLine, { at, unit, nearest }: CardContent): HTMLElement {
  return element(
    'tr',
    { class: line === nearest ? 'nearest' : undefined },
    element('td', {}, swatch(line)),
    element('td', {}, line.name),
    element('td', { class: 'number' }, formatValue(line.values[at]!, unit)),
  )
}

/** A piece of the line as it is drawn. */
export function swatch({ style }: Pick<DrawnLine, 'style'>): SVGSVGElement {
  const stroke = { stroke: style.colour, 'stroke-width': 3, 'stroke-dasharray': style.dash.join(' ') || undefined }
  const line = svgElement('line', { x1: 0, y1: 5, x2: 24, y2: 5, ...stroke })
  return svgElement('svg', { class: 'swatch', width: 24, height: 10, 'aria-hidden': 'true' }, line)
}
