/** `GET /badge/{slug}.svg`: a picture for a README that says how the newest values of a group compare with those before. */

import type { FastifyInstance } from 'fastify'
import { readGroupHistory, type SeriesHistory } from '../../database/queries/group-history.js'
import type { MainLine } from '../../database/queries/main-line.js'
import type { MeasurementGroup } from '../../database/queries/groups.js'
import type { Store } from '../store/store.js'
import { cacheAnswers } from './answer-cache.js'
import { groupTitle, parseGroupSlug } from './groups.js'
import { notFound } from './read-memory.js'
import type { ReadRouteOptions } from './routes.js'

/** Number of commits of the main line among which the newest values are looked for. */
const COMMITS = 20
const MAX_SERIES = 1_000
const REMEMBERED = 64
/** Smaller changes get no colour. */
const NOTABLE = 0.02

export function addBadgeRoute(app: FastifyInstance, { store, memory, writes, now, mainLine }: ReadRouteOptions): void {
  const badge = cacheAnswers(async slug => readBadge(store, parseGroupSlug(slug)!, await mainLine(COMMITS)), {
    writes,
    now,
    most: REMEMBERED,
  })
  app.get('/badge/:slug.svg', async (request, reply) => {
    const { slug } = request.params as { slug: string }
    if (parseGroupSlug(slug) === undefined) return notFound(reply)
    return memory.send(reply.header('cache-control', 'public, max-age=60'), () => badge(slug), SVG_TYPE)
  })
}

const SVG_TYPE = 'image/svg+xml'

async function readBadge(store: Store, group: MeasurementGroup, { stored }: MainLine): Promise<string> {
  const shas = stored.slice(0, COMMITS).toReversed()
  const options = { shas, limit: MAX_SERIES, withRuns: false }
  const { series } = await store.read(session => readGroupHistory(session, group, options))
  return drawBadge(groupTitle(group).replace(/_/g, ' '), describe(series, shas))
}

type State = { readonly text: string; readonly colour: string }

/** Compares the newest commit of the group with the one before: the geometric mean over the series that both have. */
function describe(series: readonly SeriesHistory[], shas: readonly string[]): State {
  const values = series.map(({ points }) => parsePoints(points))
  const measured = shas.flatMap((_, place) => (values.some(known => known.has(place)) ? [place] : []))
  const [newest, before] = [measured.at(-1), measured.at(-2)]
  if (newest === undefined) return { text: 'no data', colour: GREY }
  const at = shas[newest]!.slice(0, 7)
  const ratios = values.flatMap(known => {
    const [value = 0, earlier = 0] = [known.get(newest), known.get(before ?? -1)]
    return value > 0 && earlier > 0 ? [Math.log(value / earlier)] : []
  })
  if (ratios.length === 0) return { text: `measured at ${at}`, colour: GREY }
  const change = Math.exp(ratios.reduce((sum, one) => sum + one, 0) / ratios.length) - 1
  const isNotable = Math.abs(change) >= NOTABLE
  return { text: `${percent(change)} at ${at}`, colour: !isNotable ? GREY : change < 0 ? GREEN : RED }
}

function parsePoints(points: string): ReadonlyMap<number, number> {
  return new Map(
    points.split(',').map(point => {
      const [place, value] = point.split(' ')
      return [Number(place), Number(value)]
    }),
  )
}

/** `+4.2 %`. The sign of a change that rounds to nothing is left out. */
function percent(change: number): string {
  const digits = Math.abs(100 * change).toFixed(1)
  return `${digits === '0.0' ? '' : change < 0 ? '−' : '+'}${digits} %`
}

const [GREEN, RED, GREY] = ['#116932', '#b42318', '#57606a']
/** Width of a character of the font, on average, in pixels. The text is stretched to exactly the width that is computed with it. */
const CHARACTER_PX = 6.6
const EDGE_PX = 8

function drawBadge(label: string, { text, colour }: State): string {
  const [left, right] = [textWidth(label), textWidth(text)]
  const width = left + right
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="20" role="img" aria-label="${escapeXml(`${label}: ${text}`)}">
<title>${escapeXml(`${label}: ${text}`)}</title>
<rect width="${width}" height="20" rx="3" fill="${colour}"/>
<path d="M3 0h${left - 3}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#333a42"/>
<g fill="#fff" font-family="Verdana,Geneva,sans-serif" font-size="11">
${drawText(label, 0, left)}
${drawText(text, left, right)}
</g>
</svg>
`
}

function textWidth(text: string): number {
  return Math.ceil([...text].length * CHARACTER_PX + 2 * EDGE_PX)
}

function drawText(text: string, start: number, width: number): string {
  return `<text x="${start + EDGE_PX}" y="14" textLength="${width - 2 * EDGE_PX}" lengthAdjust="spacingAndGlyphs">${escapeXml(text)}</text>`
}

/** Escapes a text for XML. Characters that XML does not allow at all become `?`. */
function escapeXml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '?')
    .replace(/[&<>"']/g, one => `&#${one.codePointAt(0)};`)
}
