/** The card that describes a commit: its metadata and the values of the series nearest to the cursor. */

import type { HistoryCommit } from '../../server/read/answers.js'
import { element, svgElement, webLink } from '../element.js'
import { formatChange, formatTime, formatValue, shortSha, type Unit } from '../format.js'
import type { DeliveryEntry } from '../../reports/lineage.js'
import type { SeriesDeliveries } from '../delivery-source.js'
import type { ChartOptions, DrawnSeries } from './chart-options.js'

/** Number of series that can be read at a glance. */
const SHOWN = 8

export type CardContent = {
  readonly commit: HistoryCommit
  readonly at: number
  readonly series: readonly DrawnSeries[]
  readonly nearest: DrawnSeries | undefined
  readonly unit: Unit
  readonly besideUnit: Unit | undefined
  readonly changes: ChartOptions['changes']
}

export function createCard(content: CardContent): readonly HTMLElement[] {
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
    ...changesHere(content).map(text => element('p', { class: 'card-change' }, text)),
    element('table', {}, element('tbody', {}, ...around(content).map(one => row(one, content)))),
  ]
}

/** Lines that name the deliveries of the values on the card, each with a link to its CI run. */
export function createOrigins(content: CardContent, deliveries: SeriesDeliveries): readonly HTMLElement[] {
  const shown = around(content)
  const found = [...new Set(shown.flatMap(({ id }) => deliveries.get(id) ?? []))].slice(0, SHOWN)
  return found.map(delivery => {
    const names = shown.filter(({ id }) => deliveries.get(id)?.includes(delivery)).map(({ name }) => name)
    const which = found.length === 1 ? undefined : `${names.join(', ')}: `
    return element('p', { class: 'card-origin' }, which, originLink(delivery), sourceText(delivery))
  })
}

function originLink({ id, run_url: url, benchmark_id: benchmark, attempt }: DeliveryEntry): HTMLElement {
  const text = `run ${benchmark ?? id}${attempt === null ? '' : `, attempt ${attempt}`}`
  return webLink(url ?? '', text, { title: `Delivery ${id}` })
}

function sourceText({ sources, source_count: count, applied_at: time }: DeliveryEntry): string {
  const names = sources.slice(0, 1).map(({ name }) => (count > 1 ? `${name} and ${count - 1} more` : name))
  return [...names, ...(time === null ? [] : [formatTime(time)])].map(text => ` · ${text}`).join('')
}

/** The card's content as text for a screen reader. */
export function describeForScreenReader(content: CardContent): string {
  const { commit, at, unit } = content
  const series = around(content).map(one => {
    const beside = formatBeside(one, content)
    return `${one.name} ${formatValue(one.values[at]!, unit)}${beside === '' ? '' : ` (${beside})`}`
  })
  return `${shortSha(commit.sha)}, ${formatTime(commit.timestamp)}: ${commit.message}. ${[...changesHere(content), ...series].join('; ')}`
}

/** One sentence for each drawn series that changed at the commit. */
function changesHere({ series, at, changes }: CardContent): readonly string[] {
  const sentences = series.flatMap(({ id, name }) =>
    (changes.get(id) ?? [])
      .filter(mark => mark.at === at)
      .map(
        ({ ratio, accepted }) =>
          `Changed here: ${name} ${formatChange(ratio)}${accepted === null ? '' : ` (accepted: ${accepted})`}`,
      ),
  )
  return sentences.slice(0, SHOWN)
}

/** The series with a value at the commit, ordered by value and centred on the nearest one. At most SHOWN series. */
function around({ series, at, nearest }: CardContent): readonly DrawnSeries[] {
  const known = series.filter(({ values }) => typeof values[at] === 'number')
  const sorted = known.sort((one, other) => other.values[at]! - one.values[at]!)
  const centre = nearest === undefined ? 0 : sorted.indexOf(nearest)
  const first = Math.max(0, Math.min(sorted.length - SHOWN, centre - SHOWN / 2))
  return sorted.slice(first, first + SHOWN)
}

function row(series: DrawnSeries, content: CardContent): HTMLElement {
  const { at, unit, besideUnit, nearest } = content
  const beside = element('td', { class: 'number quiet' }, formatBeside(series, content))
  return element(
    'tr',
    { class: series === nearest ? 'nearest' : undefined },
    element('td', {}, createSwatch(series)),
    element('td', {}, series.name),
    element('td', { class: 'number' }, formatValue(series.values[at]!, unit)),
    ...(besideUnit === undefined ? [] : [beside]),
  )
}

/** The other measure of a series at the commit, formatted. Empty when it is unknown. */
function formatBeside({ beside }: DrawnSeries, { at, besideUnit }: CardContent): string {
  const value = beside?.[at] ?? null
  return value === null || besideUnit === undefined ? '' : formatValue(value, besideUnit)
}

/** A short sample of the series in its style. */
export function createSwatch({ style }: Pick<DrawnSeries, 'style'>): SVGSVGElement {
  const stroke = { stroke: style.colour, 'stroke-width': 3, 'stroke-dasharray': style.dash.join(' ') || undefined }
  const line = svgElement('line', { x1: 0, y1: 5, x2: 24, y2: 5, ...stroke })
  return svgElement('svg', { class: 'swatch', width: 24, height: 10, 'aria-hidden': 'true' }, line)
}
