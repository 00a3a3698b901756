/** The commits at which measurements changed for good, each with its series and a small chart. */

import type { ChangeEntry, ChangesAnswer, GroupEntry, HistoryCommit } from '../../server/read/answers.js'
import { describeError } from '../api.js'
import { COUNTS, formatAddress, START } from '../address.js'
import type { ChangeSource } from '../change-source.js'
import { element, pageElement, svgElement, webLink } from '../element.js'
import { formatChange, formatCount, formatTime, formatValue, shortSha } from '../format.js'
import { seriesPlace } from '../model/charted-group.js'
import { groupHeading, renderGroupTitle } from './group-list.js'

/** Series that are listed for each commit before the rest is folded away. */
const SHOWN = 8

export class ChangesView {
  constructor(private readonly source: ChangeSource) {}

  async show(groups: readonly GroupEntry[]): Promise<void> {
    const status = pageElement('changes-status')
    if (this.source.known === undefined) status.textContent = 'Looking for changes…'
    try {
      const answer = await this.source.load()
      status.textContent = describe(answer)
      const titles = new Map(groups.map(group => [group.slug, `${groupHeading(group)}: ${renderGroupTitle(group)}`]))
      const commits = answer.commits.map(commit => createCommit(commit, answer, titles))
      pageElement('changes-list').replaceChildren(...commits)
    } catch (error) {
      status.textContent = `Cannot look for changes: ${describeError(error)}.`
    }
  }
}

function describe({ changes, commits, analysed, series, more }: ChangesAnswer): string {
  const among = `${formatCount(series)} series at the last ${formatCount(analysed)} commits`
  if (changes.length === 0) return `No change was found among ${among}.`
  const found = `${counted(changes.length, 'change')} at ${counted(commits.length, 'commit')}, among ${among}.`
  return more ? `${found} Some are not listed, because there are too many.` : found
}

function counted(count: number, name: string): string {
  return `${formatCount(count)} ${name}${count === 1 ? '' : 's'}`
}

function createCommit(
  { sha, message, author, timestamp, url }: HistoryCommit,
  answer: ChangesAnswer,
  titles: ReadonlyMap<string, string>,
): HTMLElement {
  const own = answer.changes.filter(({ commit }) => commit === sha)
  const rows = own.map(change => createRow(change, answer, titles))
  const facts = [webLink(url, shortSha(sha), { class: 'sha' }), ` ${formatTime(timestamp)}`, author && ` · ${author}`]
  const rest = rows.slice(SHOWN)
  const more = element('details', {}, element('summary', {}, `${formatCount(rest.length)} more series`))
  more.append(element('ul', {}, ...rest))
  return element(
    'section',
    { class: 'change' },
    element('h2', {}, message || 'no message'),
    element('p', { class: 'quiet' }, ...facts),
    element('ul', {}, ...rows.slice(0, SHOWN)),
    rest.length > 0 ? more : undefined,
  )
}

function createRow(change: ChangeEntry, { analysed }: ChangesAnswer, titles: ReadonlyMap<string, string>): HTMLElement {
  const { slug, commit, unit, old, new: now } = change
  const { panel, panelLabel, id } = seriesPlace(change.dimensions, change.key)
  const n = COUNTS.find(count => count >= analysed) ?? START.n
  const href = formatAddress({
    ...START,
    group: slug,
    panel,
    only: [id],
    at: shortSha(commit),
    n: Math.max(n, START.n),
  })
  const size = element(
    'span',
    { class: now > old ? 'worse' : 'better' },
    `${now > old ? '▲' : '▼'} ${formatChange(now / old)}`,
  )
  const values = `${formatValue(old, unit)} → ${formatValue(now, unit)}`
  const name = [titles.get(slug) ?? slug, panelLabel, id].filter(Boolean).join(' · ')
  return element(
    'li',
    {},
    createSmallChart(change),
    element('a', { href }, name),
    element('span', { class: 'change-size' }, size, element('span', { class: 'quiet' }, values)),
    change.accepted === null ? undefined : element('span', { class: 'quiet' }, `accepted: ${change.accepted}`),
  )
}

const [WIDTH, HEIGHT, EDGE] = [120, 32, 4]

/** The values around the change as dots, and the mean before and after as lines. */
function createSmallChart({ values, at, old, new: now }: ChangeEntry): SVGSVGElement {
  const [least, greatest] = [Math.min(...values), Math.max(...values)]
  const left = (index: number): number => EDGE + (index / Math.max(1, values.length - 1)) * (WIDTH - 2 * EDGE)
  const top = (value: number): number =>
    HEIGHT - EDGE - ((value - least) / (greatest - least || 1)) * (HEIGHT - 2 * EDGE)
  const level = (value: number, from: number, to: number): SVGLineElement =>
    svgElement('line', { x1: left(from), x2: left(to), y1: top(value), y2: top(value), class: 'level' })
  // A path of points, because an element for each point would be too many.
  const dots = (from: number, to: number, name: string): SVGPathElement => {
    const points = values.slice(from, to).map((value, index) => `M${left(from + index)} ${top(value)}h0`)
    return svgElement('path', { d: points.join(''), class: name })
  }
  const size = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT }
  return svgElement(
    'svg',
    { class: 'small-chart', 'aria-hidden': 'true', ...size },
    dots(0, at, 'old'),
    dots(at, values.length, 'new'),
    level(old, 0, Math.max(0, at - 1)),
    level(now, at, values.length - 1),
  )
}
