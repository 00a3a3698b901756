/** One chart of series over commits. Dragging zooms it, and it reports the commit and series under the cursor. */

import uPlot from 'uplot'
import type { Values } from '../model/series.js'
import { valueExtents } from '../model/values.js'
import { roundRange, positionShare, zoomRange, type VisibleRange } from '../model/visible-range.js'
import { axes, valueRange } from './axes.js'
import { SeriesLayer, Overlay } from './series-layers.js'
import { drawClipped } from './layer.js'
import type { ChartOptions, DrawnSeries, Span } from './chart-options.js'

const UNSEEN: uPlot.Series = { paths: () => null, points: { show: false } }

export class Chart {
  readonly #plot: uPlot
  readonly #layer: SeriesLayer
  readonly #overlay: Overlay
  readonly #resizing: ResizeObserver
  #shown: readonly DrawnSeries[]
  #frame = 0

  constructor(
    private readonly host: HTMLElement,
    private readonly options: ChartOptions,
  ) {
    this.#shown = options.series
    const series = this.#drawable()
    this.#plot = new uPlot(this.#plotOptions(), this.#extents(series), host)
    this.#layer = new SeriesLayer(this.#plot, options.scale)
    this.#layer.set(series, options.changes)
    this.#overlay = new Overlay(this.#plot, options.scale)
    onStillClick(this.#plot.over, () => this.#click())
    if (options.span !== undefined) this.show(options.span)
    this.#resizing = new ResizeObserver(() => this.#plot.setSize(this.#size()))
    this.#resizing.observe(host)
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame)
    this.#layer.stop()
    this.#resizing.disconnect()
    this.#plot.destroy()
  }

  /** Replaces the series and keeps the commits. Reuses the canvases, because new ones for every typed letter would be slow. */
  change({ series, span, changes }: Pick<ChartOptions, 'series' | 'span' | 'changes'>): void {
    this.#shown = series
    const drawable = this.#drawable()
    this.#layer.set(drawable, changes)
    this.#plot.setData(this.#extents(drawable), false)
    this.show(span ?? { first: 0, last: this.end })
    // The cursor may rest on the chart, so what is under it is reported again.
    this.#requestFrame()
  }

  /** The element in which the series are drawn. */
  get area(): HTMLElement {
    return this.#plot.over
  }

  get span(): Span {
    const { min, max } = this.range
    return { first: Math.max(0, Math.ceil(min)), last: Math.min(this.end, Math.floor(max)) }
  }

  get range(): VisibleRange {
    const { min = 0, max = 0 } = this.#plot.scales['x'] ?? {}
    return { min, max }
  }

  get end(): number {
    return this.options.commits.length - 1
  }

  show({ first, last }: Span): void {
    this.move({ min: first, max: last })
  }

  /** Moves to any range, also between commits, during a gesture. The gesture ends with `settle`. */
  move(range: VisibleRange): void {
    this.#plot.setScale('x', range)
  }

  settle(): void {
    this.move(roundRange(this.range))
  }

  /** @param chosen commit that stays under the cursor if it was there before */
  showAll(chosen?: number): void {
    this.show({ first: 0, last: this.end })
    this.#keep(chosen)
  }

  /**
   * @param factor below 1 shows fewer commits
   * @param around commit that keeps its position, and stays under the cursor if it was there before
   */
  zoom(factor: number, around?: number): void {
    const { first, last } = this.span
    const range = { min: first, max: last }
    const position = around ?? (first + last) / 2
    this.move(roundRange(zoomRange(range, factor, { position, share: positionShare(range, position), end: this.end })))
    this.#keep(around)
  }

  /** Puts the cursor on a commit, at the height of a series that has a value there. */
  point(at: number, series = this.#shown.find(({ values }) => typeof values[at] === 'number')): void {
    const value = series?.values[at] ?? 0
    this.#plot.setCursor({ left: this.#plot.valToPos(at, 'x'), top: this.#plot.valToPos(value, 'y') })
  }

  pointAway(): void {
    this.#plot.setCursor({ left: -10, top: -10 })
  }

  /** Marks a commit until another one is marked. Undefined removes the mark. */
  mark(at: number | undefined): void {
    this.#overlay.mark(at)
  }

  /** Highlights a series, with a dot at the commit under the cursor. */
  highlight(series: DrawnSeries | undefined): void {
    this.#overlay.highlight(series, this.#plot.cursor.idx ?? undefined)
  }

  get size(): { readonly width: number; readonly height: number } {
    return { width: this.#plot.width, height: this.#plot.height }
  }

  /** Draws the chart with its axes. @param top distance in pixels from the upper edge */
  drawOn(context: CanvasRenderingContext2D, top: number): void {
    const { width, height } = this.size
    context.drawImage(this.#plot.ctx.canvas, 0, top, width, height)
    context.save()
    context.translate(this.areaLeft, top + this.#plot.bbox.top / devicePixelRatio)
    this.#layer.drawOn({ context, clipped: draw => drawClipped(context, this.#plot, draw) })
    context.restore()
  }

  /** Distance in pixels from the chart's left edge to the plot area. */
  get areaLeft(): number {
    return this.#plot.bbox.left / devicePixelRatio
  }

  leftAt(at: number): number {
    return this.#plot.valToPos(at, 'x')
  }

  /** Keeps the cursor on its commit after the range has changed, because uPlot keeps it at its pixel position. */
  #keep(at: number | undefined): void {
    const { idx, top = 0 } = this.#plot.cursor
    if (at === undefined || idx !== at) return
    const series = this.#nearest(at, top)
    // uPlot applies its new scales in a microtask that is queued already, so this one runs after it.
    queueMicrotask(() => this.point(at, series))
  }

  #drawable(): readonly DrawnSeries[] {
    return this.options.scale === 'log' ? this.#shown.map(positive) : this.#shown
  }

  #extents(series: readonly DrawnSeries[]): uPlot.AlignedData {
    const { commits } = this.options
    const { least, greatest } = valueExtents(series, commits.length)
    return [commits.map((_, at) => at), least, greatest]
  }

  #size(): { width: number; height: number } {
    return { width: this.host.clientWidth, height: this.host.clientHeight }
  }

  #plotOptions(): uPlot.Options {
    const { scale, commits } = this.options
    return {
      ...this.#size(),
      padding: [12, 34, 0, 0],
      legend: { show: false },
      cursor: {
        points: { show: false },
        // Disables uPlot's own click handling, which does not know about the snapping in `move` below.
        drag: { x: true, y: false, click: () => undefined },
        y: false,
        // Snaps the cursor to the nearest commit.
        move: (plot, left, top) => [left < 0 ? left : plot.valToPos(Math.round(plot.posToVal(left, 'x')), 'x'), top],
      },
      scales: {
        x: {
          time: false,
          range: (_plot, min, max) => (commits.length < 2 ? [-1, 1] : min < max ? [min, max] : [min - 1, max + 1]),
        },
        y: { distr: scale === 'log' ? 3 : 1, range: (_plot, min, max) => valueRange(min, max, scale) },
      },
      axes: axes(this.options),
      // These two series only define the range of the value scale. The layers draw the lines.
      series: [{}, UNSEEN, UNSEEN],
      hooks: {
        setCursor: [() => this.#requestFrame()],
        setScale: [(_plot, name) => this.#spanChanged(name)],
        draw: [() => this.#draw()],
      },
    }
  }

  #draw(): void {
    this.#layer.draw()
    this.#overlay.draw()
  }

  #spanChanged(scale: string): void {
    // uPlot sets the scale for the first time while the chart is still being constructed.
    if (scale !== 'x' || this.#overlay === undefined) return
    const { first, last } = this.span
    this.options.onSpan(first === 0 && last === this.end ? undefined : { first, last })
  }

  /** Reports the cursor at most once per frame, because the pointer moves more often. */
  #requestFrame(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => this.#reportCursor())
  }

  #reportCursor(): void {
    const { idx, top = -1 } = this.#plot.cursor
    if (typeof idx !== 'number') return this.options.onCursor(undefined, undefined)
    this.options.onCursor(idx, this.#nearest(idx, top))
  }

  #nearest(at: number, top: number): DrawnSeries | undefined {
    let nearest: DrawnSeries | undefined
    let least = Infinity
    for (const one of this.#shown) {
      const value = one.values[at]
      if (typeof value !== 'number') continue
      const distance = Math.abs(this.#plot.valToPos(value, 'y') - top)
      if (distance < least) [least, nearest] = [distance, one]
    }
    return nearest
  }

  #click(): void {
    const { idx } = this.#plot.cursor
    if (typeof idx === 'number') this.options.onClick(idx)
  }
}

/** Removes values that are not positive, because a logarithmic scale cannot show them. */
function positive(series: DrawnSeries): DrawnSeries {
  const keep = (values: Values): Values => values.map(value => (value !== null && value > 0 ? value : null))
  const { values, spread } = series
  return { ...series, values: keep(values), spread: spread && { low: keep(spread.low), high: keep(spread.high) } }
}

/** Pixels by which the pointer may move during a click, because a hand is never quite still. */
const CLICK_ROOM = 4

/** Calls `onClick` for a click during which the pointer hardly moved. */
function onStillClick(host: HTMLElement, onClick: () => void): void {
  let from = 0
  host.addEventListener('pointerdown', ({ clientX }) => (from = clientX))
  host.addEventListener('click', ({ clientX }) => Math.abs(clientX - from) < CLICK_ROOM && onClick())
}
