/** The chart as a picture with a title and a legend, to be saved as a file. */

import { axisColours } from './axes.js'
import type { Chart } from './chart.js'
import type { DrawnSeries } from './chart-options.js'
import type { Theme } from '../theme.js'

const GROUND: Readonly<Record<Theme, string>> = { light: '#ffffff', dark: '#1b2026' }
const EDGE_PX = 16
const TITLE_PX = 40
const ROW_PX = 20
const SWATCH_PX = 24
const COLUMN_PX = 280
/** The legend names at most this many lines. */
const MAX_NAMES = 40

export type PictureOptions = {
  readonly title: string
  readonly series: readonly DrawnSeries[]
  readonly theme: Theme
}

export function drawPicture(chart: Chart, { title, series, theme }: PictureOptions): HTMLCanvasElement {
  const { width, height } = chart.size
  const columns = Math.max(1, Math.floor((width - 2 * EDGE_PX) / COLUMN_PX))
  const named = series.slice(0, MAX_NAMES)
  const rest = series.length - named.length
  const rows = Math.ceil(named.length / columns) + (rest > 0 ? 1 : 0)
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(width * devicePixelRatio)
  canvas.height = Math.round((TITLE_PX + height + rows * ROW_PX + EDGE_PX) * devicePixelRatio)
  const context = canvas.getContext('2d')!
  context.scale(devicePixelRatio, devicePixelRatio)
  context.fillStyle = GROUND[theme]
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.textBaseline = 'middle'
  const { text } = axisColours(theme)
  write(context, title, { left: EDGE_PX, top: TITLE_PX / 2, font: '600 15px system-ui, sans-serif', colour: text })
  chart.drawOn(context, TITLE_PX)
  const place = (index: number): { left: number; top: number } => ({
    left: EDGE_PX + (index % columns) * COLUMN_PX,
    top: TITLE_PX + height + (Math.floor(index / columns) + 0.5) * ROW_PX,
  })
  for (const [index, one] of named.entries()) drawName(context, one, { ...place(index), colour: text })
  const last = place(Math.ceil(named.length / columns) * columns)
  if (rest > 0) write(context, `and ${rest} more`, { ...last, font: FONT, colour: text })
  return canvas
}

type Place = { readonly left: number; readonly top: number; readonly colour: string }

const FONT = '12px system-ui, sans-serif'

function drawName(context: CanvasRenderingContext2D, { name, style }: DrawnSeries, { left, top, colour }: Place): void {
  context.strokeStyle = style.colour
  context.lineWidth = 3
  context.setLineDash([...style.dash])
  context.beginPath()
  context.moveTo(left, top)
  context.lineTo(left + SWATCH_PX, top)
  context.stroke()
  context.setLineDash([])
  write(context, name, { left: left + SWATCH_PX + 8, top, font: FONT, colour })
}

function write(
  context: CanvasRenderingContext2D,
  text: string,
  { left, top, font, colour }: Place & { readonly font: string },
): void {
  context.font = font
  context.fillStyle = colour
  context.fillText(text, left, top)
}
