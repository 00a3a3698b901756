/** Draws the series of a chart. Many series are drawn over several frames; a coarse sketch is shown until they are complete. */

import type uPlot from 'uplot'
import type { Scale } from '../address.js'
import { FrameScheduler } from '../frame-scheduler.js'
import { Layer, createProjection, type Projection } from './layer.js'
import type { ChartOptions, DrawnSeries } from './chart-options.js'
import { drawBand, MAX_BANDS } from './band.js'
import { drawDots, drawingEffort, strokeSeries } from './stroke.js'

/** Work per frame that a slow computer without a graphics card manages, in the unit of `drawingEffort`. */
const A_FRAME = 35_000
const A_SKETCH = 15_000

export class SeriesLayer {
  readonly #sketch: Layer
  readonly #layer: Layer
  readonly #scheduler = new FrameScheduler()
  #series: readonly DrawnSeries[] = []
  #changes: ChartOptions['changes'] = new Map()

  constructor(
    private readonly plot: uPlot,
    private readonly scale: Scale,
  ) {
    this.#sketch = new Layer(plot, 'sketch')
    this.#layer = new Layer(plot, 'lines')
  }

  /** Sets the series for the next `draw`. */
  set(series: readonly DrawnSeries[], changes: ChartOptions['changes']): void {
    this.#series = series
    this.#changes = changes
  }

  /** Draws in the next frame, with the scales that the plot has then. */
  draw(): void {
    this.#scheduler.beginSoon(() => this.#parts())
  }

  stop(): void {
    this.#scheduler.stop()
  }

  /** Draws everything at once, on any layer. */
  drawOn(layer: Pick<Layer, 'context' | 'clipped'>): void {
    const projection = createProjection(this.plot, this.scale)
    this.#drawBands(layer, projection)
    for (const one of this.#series) drawSeries(layer, one, projection, 1)
    this.#drawChanges(layer, projection)
  }

  /** Draws a ring around the first value after each change, a dotted one when the change was accepted. */
  #drawChanges({ context }: Pick<Layer, 'context'>, projection: Projection): void {
    context.lineWidth = 2
    for (const { id, values, style } of this.#series)
      for (const { at, accepted } of this.#changes.get(id) ?? []) {
        const value = values[at] ?? null
        if (value === null || at < projection.span.first || at > projection.span.last) continue
        context.setLineDash(accepted === null ? [] : [2, 2])
        context.strokeStyle = style.colour
        context.beginPath()
        context.arc(projection.left(at), projection.top(value), RING, 0, 2 * Math.PI)
        context.stroke()
      }
    context.setLineDash([])
  }

  #drawBands(layer: Pick<Layer, 'clipped'>, projection: Projection): void {
    if (this.#series.length > MAX_BANDS) return
    for (const { spread, style } of this.#series)
      if (spread !== undefined) layer.clipped(context => drawBand(context, spread, style.colour, projection))
  }

  *#parts(): Generator<undefined> {
    const series = this.#series
    const projection = createProjection(this.plot, this.scale)
    const all = series.reduce((sum, { style }) => sum + drawingEffort(style, projection), 0)
    this.#sketch.clear()
    this.#layer.clear()
    this.#drawBands(this.#layer, projection)
    if (all > A_FRAME) {
      for (const one of series) drawSeries(this.#sketch, one, projection, Math.ceil(all / A_SKETCH))
      yield
    }
    let spent = 0
    for (const one of series) {
      if (spent > A_FRAME) {
        yield
        spent = 0
      }
      drawSeries(this.#layer, one, projection, 1)
      spent += drawingEffort(one.style, projection)
    }
    this.#drawChanges(this.#layer, projection)
    this.#sketch.clear()
  }
}

/** @param stride draws only every n-th commit; 1 draws all */
function drawSeries(
  layer: Pick<Layer, 'context' | 'clipped'>,
  { values, style }: DrawnSeries,
  projection: Projection,
  stride: number,
): void {
  layer.clipped(context => strokeSeries(context, { values, style, stride }, projection))
  drawDots(layer.context, { values, style }, projection)
}

const RING = 7
const WIDER = 2
const DOT = 4

/** The highlighted series and the marked commit, on a canvas of their own so that the other series need not be redrawn. */
export class Overlay {
  readonly #layer: Layer
  #highlighted: DrawnSeries | undefined
  #at: number | undefined
  #marked: number | undefined

  constructor(
    private readonly plot: uPlot,
    private readonly scale: Scale,
  ) {
    this.#layer = new Layer(plot, 'overlay')
  }

  /** @param at the commit at which the series gets a dot */
  highlight(series: DrawnSeries | undefined, at: number | undefined): void {
    if (series === this.#highlighted && at === this.#at) return
    this.#highlighted = series
    this.#at = at
    this.draw()
  }

  mark(at: number | undefined): void {
    this.#marked = at
    this.draw()
  }

  draw(): void {
    this.#layer.clear()
    const projection = createProjection(this.plot, this.scale)
    if (this.#marked !== undefined) this.#drawMark(projection.left(this.#marked))
    if (this.#highlighted !== undefined) this.#drawSeries(this.#highlighted, projection)
  }

  #drawMark(left: number): void {
    this.#layer.clipped(context => {
      context.strokeStyle = '#8b949e'
      context.lineWidth = 1
      context.setLineDash([3, 3])
      context.beginPath()
      context.moveTo(left, 0)
      context.lineTo(left, this.plot.bbox.height)
      context.stroke()
    })
  }

  #drawSeries({ values, style }: DrawnSeries, projection: Projection): void {
    const wider = { ...style, width: style.width + WIDER }
    this.#layer.clipped(context => strokeSeries(context, { values, style: wider, stride: 1 }, projection))
    const at = this.#at
    const value = at === undefined ? undefined : values[at]
    if (at === undefined || typeof value !== 'number') return
    const { context } = this.#layer
    context.fillStyle = style.colour
    context.beginPath()
    context.arc(projection.left(at), projection.top(value), DOT, 0, 2 * Math.PI)
    context.fill()
  }
}
