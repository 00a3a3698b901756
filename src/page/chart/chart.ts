/** One chart of lines over commits. Dragging zooms it, and it reports the commit and line under the cursor. */

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

  /** Replaces the lines and keeps the commits. Reuses the canvases, because new ones for every typed letter would be slow. */
  change(lines: readonly DrawnLine[], span: Span | undefined): void {
    this.#shown = lines
    const drawable = this.#drawable()
    this.#lines.set(drawable)
    this.#plot.setData(this.#dataOf(drawable), false)
    this.show(span ?? { first: 0, last: this.end })
  }

  /** The element in which the lines are drawn. */
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

  /** Moves to any reach, also between commits, during a gesture. The gesture ends with `settle`. */
  move(reach: Reach): void {
    this.#plot.setScale('x', reach)
  }

  settle(): void {
    this.move(settled(this.reach))
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
    const reach = { min: first, max: last }
    const place = around ?? (first + last) / 2
    this.move(settled(zoomed(reach, factor, { place, share: shareOf(reach, place), end: this.end })))
    this.#keep(around)
  }

  /** Puts the cursor on a commit, at the height of a line that has a value there. */
  point(at: number, line = this.#shown.find(({ values }) => typeof values[at] === 'number')): void {
    const value = line?.values[at] ?? 0
    this.#plot.setCursor({ left: this.#plot.valToPos(at, 'x'), top: this.#plot.valToPos(value, 'y') })
  }

  pointAway(): void {
    this.#plot.setCursor({ left: -10, top: -10 })
  }

  /** Marks a commit until another one is marked. Undefined removes the mark. */
  mark(at: number | undefined): void {
    this.#overlay.mark(at)
  }

  /** Highlights a line, with a dot at the commit under the cursor. */
  highlight(line: DrawnLine | undefined): void {
    this.#overlay.highlight(line, this.#plot.cursor.idx ?? undefined)
  }

  /** Distance in pixels from the chart's left edge to the area of the lines. */
  get areaLeft(): number {
    return this.#plot.bbox.left / devicePixelRatio
  }

  leftOf(at: number): number {
    return this.#plot.valToPos(at, 'x')
  }

  /** Keeps the cursor on its commit after the reach has changed, because uPlot keeps it at its pixel position. */
  #keep(at: number | undefined): void {
    const { idx, top = 0 } = this.#plot.cursor
    if (at === undefined || idx !== at) return
    const line = this.#nearest(at, top)
    // uPlot applies its new scales in a microtask that is queued already, so this one runs after it.
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
      // These two series only define the range of the value scale. The lines are drawn by `Lines` and not by uPlot.
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
    // uPlot sets the scale for the first time while the chart is still being constructed.
    if (scale !== 'x' || this.#overlay === undefined) return
    const { first, last } = this.span
    this.options.onSpan(first === 0 && last === this.end ? undefined : { first, last })
  }

  /** Reports the cursor at most once per frame, because the pointer moves more often. */
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

/** Removes values that are not positive, because a logarithmic scale cannot show them. */
function positive(line: DrawnLine): DrawnLine {
  return { ...line, values: line.values.map(value => (value !== null && value > 0 ? value : null)) }
}
