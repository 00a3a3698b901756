/** One chart: lines over commits, zoomed by dragging, with what lies under the cursor told to whoever asked. */

import uPlot from 'uplot'
import { extentOf } from '../model/extent.js'
import { settled, shareOf, zoomed, type Reach } from '../model/reach.js'
import { axes, valueRange } from './axes.js'
import { Lines } from './lines.js'
import type { ChartOptions, DrawnLine, Span } from './options.js'
import { Overlay } from './overlay.js'
import { onStillClick } from './still-click.js'

const UNSEEN: uPlot.Series = { paths: () => null, points: { show: false } }

export class Chart {
  readonly #plot: uPlot
  readonly #lines: Lines
  readonly #overlay: Overlay
  readonly #resizing: ResizeObserver
  #shown: readonly DrawnLine[]
  #frame = 0

  constructor(
    private readonly host: HTMLElement,
    private readonly options: ChartOptions,
  ) {
    this.#shown = options.lines
    const lines = this.#drawable()
    this.#plot = new uPlot(this.#plotOptions(), this.#dataOf(lines), host)
    this.#lines = new Lines(this.#plot, options.scale)
    this.#lines.set(lines)
    this.#overlay = new Overlay(this.#plot, options.scale)
    onStillClick(this.#plot.over, () => this.#click())
    if (options.span !== undefined) this.show(options.span)
    this.#resizing = new ResizeObserver(() => this.#plot.setSize(this.#size()))
    this.#resizing.observe(host)
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame)
    this.#lines.stop()
    this.#resizing.disconnect()
    this.#plot.destroy()
  }

  /** Shows other lines of the same commits. New canvases for each letter that is typed would be work for the browser. */
  change(lines: readonly DrawnLine[], span: Span | undefined): void {
    this.#shown = lines
    const drawable = this.#drawable()
    this.#lines.set(drawable)
    this.#plot.setData(this.#dataOf(drawable), false)
    this.show(span ?? { first: 0, last: this.end })
  }

  /** The part of the window that the lines are drawn in. */
  get area(): HTMLElement {
    return this.#plot.over
  }

  get span(): Span {
    const { min, max } = this.reach
    return { first: Math.max(0, Math.ceil(min)), last: Math.min(this.end, Math.floor(max)) }
  }

  get reach(): Reach {
    const { min = 0, max = 0 } = this.#plot.scales['x'] ?? {}
    return { min, max }
  }

  get end(): number {
    return this.options.commits.length - 1
  }

  show({ first, last }: Span): void {
    this.move({ min: first, max: last })
  }

  /** While a gesture goes on, to anywhere; `settle` is its end. */
  move(reach: Reach): void {
    this.#plot.setScale('x', reach)
  }

  settle(): void {
    this.move(settled(this.reach))
  }

  /** @param chosen is pointed at as before */
  showAll(chosen?: number): void {
    this.show({ first: 0, last: this.end })
    this.#keep(chosen)
  }

  /** @param factor below one shows fewer commits @param around stays where it is, and pointed at if it was */
  zoom(factor: number, around?: number): void {
    const { first, last } = this.span
    const reach = { min: first, max: last }
    const place = around ?? (first + last) / 2
    this.move(settled(zoomed(reach, factor, { place, share: shareOf(reach, place), end: this.end })))
    this.#keep(around)
  }

  /** Puts the cursor on a commit, at the height of a line that was measured there. */
  point(at: number, line = this.#shown.find(({ values }) => typeof values[at] === 'number')): void {
    const value = line?.values[at] ?? 0
    this.#plot.setCursor({ left: this.#plot.valToPos(at, 'x'), top: this.#plot.valToPos(value, 'y') })
  }

  pointAway(): void {
    this.#plot.setCursor({ left: -10, top: -10 })
  }

  /** A commit that stays marked. */
  mark(at: number | undefined): void {
    this.#overlay.mark(at)
  }

  /** A line that stands out, with a dot at the commit under the cursor. */
  highlight(line: DrawnLine | undefined): void {
    this.#overlay.highlight(line, this.#plot.cursor.idx ?? undefined)
  }

  /** Where that part begins in what the chart is in. */
  get areaLeft(): number {
    return this.#plot.bbox.left / devicePixelRatio
  }

  leftOf(at: number): number {
    return this.#plot.valToPos(at, 'x')
  }

  /** To be called after what moves it: the plot's cursor stays at a place of the window, not at its commit. */
  #keep(at: number | undefined): void {
    const { idx, top = 0 } = this.#plot.cursor
    if (at === undefined || idx !== at) return
    const line = this.#nearest(at, top)
    // The plot has its new scales in a task of this kind, which it has asked for before.
    queueMicrotask(() => this.point(at, line))
  }

  #drawable(): readonly DrawnLine[] {
    return this.options.scale === 'log' ? this.#shown.map(positive) : this.#shown
  }

  #dataOf(lines: readonly DrawnLine[]): uPlot.AlignedData {
    const { commits } = this.options
    const { least, greatest } = extentOf(lines, commits.length)
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
        // Its own notion of a click knows nothing of `move` below.
        drag: { x: true, y: false, click: () => undefined },
        y: false,
        // There is nothing between two commits.
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
      // The scale of values is made for these; the lines themselves are not the plot's to draw.
      series: [{}, UNSEEN, UNSEEN],
      hooks: {
        setCursor: [() => this.#askForFrame()],
        setScale: [(_plot, name) => this.#spanChanged(name)],
        draw: [() => this.#draw()],
      },
    }
  }

  #draw(): void {
    this.#lines.draw()
    this.#overlay.draw()
  }

  #spanChanged(scale: string): void {
    // The first is set while the chart is made.
    if (scale !== 'x' || this.#overlay === undefined) return
    const { first, last } = this.span
    this.options.onSpan(first === 0 && last === this.end ? undefined : { first, last })
  }

  /** The pointer moves more often than the screen is drawn. */
  #askForFrame(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => this.#tellCursor())
  }

  #tellCursor(): void {
    const { idx, top = -1 } = this.#plot.cursor
    if (typeof idx !== 'number') return this.options.onCursor(undefined, undefined)
    this.options.onCursor(idx, this.#nearest(idx, top))
  }

  #nearest(at: number, top: number): DrawnLine | undefined {
    let nearest: DrawnLine | undefined
    let least = Infinity
    for (const line of this.#shown) {
      const value = line.values[at]
      if (typeof value !== 'number') continue
      const distance = Math.abs(this.#plot.valToPos(value, 'y') - top)
      if (distance < least) [least, nearest] = [distance, line]
    }
    return nearest
  }

  #click(): void {
    const { idx } = this.#plot.cursor
    if (typeof idx === 'number') this.options.onClick(idx)
  }
}

/** What is not positive has no place on a logarithmic scale. */
function positive(line: DrawnLine): DrawnLine {
  return { ...line, values: line.values.map(value => (value !== null && value > 0 ? value : null)) }
}
