/** What comes and goes over the lines: one that stands out, a commit that is marked. The lines are not drawn again for it. */

import type uPlot from 'uplot'
import type { DrawnLine } from './options.js'

const WIDER = 2
const DOT = 4

export class Overlay {
  readonly #canvas = document.createElement('canvas')
  #line: DrawnLine | undefined
  #marked: number | undefined

  constructor(private readonly plot: uPlot) {
    this.#canvas.className = 'overlay'
    plot.over.append(this.#canvas)
  }

  highlight(line: DrawnLine | undefined): void {
    if (line === this.#line) return
    this.#line = line
    this.draw()
  }

  mark(at: number | undefined): void {
    this.#marked = at
    this.draw()
  }

  draw(): void {
    const context = this.#fit()
    if (context === null) return
    if (this.#marked !== undefined) this.#drawMark(context, this.#marked)
    if (this.#line !== undefined) this.#drawLine(context, this.#line)
  }

  /** As large as what it lies over, in the screen's own pixels, and empty. */
  #fit(): CanvasRenderingContext2D | null {
    // The window's layout is not asked: it would be made anew for the answer.
    const { width, height } = this.plot.bbox
    const context = this.#canvas.getContext('2d')
    if (this.#canvas.width !== width) this.#canvas.width = width
    if (this.#canvas.height !== height) this.#canvas.height = height
    context?.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
    context?.clearRect(0, 0, width, height)
    return context
  }

  #drawMark(context: CanvasRenderingContext2D, at: number): void {
    const left = this.plot.valToPos(at, 'x')
    context.strokeStyle = '#8b949e'
    context.lineWidth = 1
    context.setLineDash([3, 3])
    context.beginPath()
    context.moveTo(left, 0)
    context.lineTo(left, this.plot.bbox.height)
    context.stroke()
    context.setLineDash([])
  }

  #drawLine(context: CanvasRenderingContext2D, { values, style }: DrawnLine): void {
    const { min = 0, max = 0 } = this.plot.scales['x'] ?? {}
    const first = Math.max(0, Math.floor(min) - 1)
    const points = values.slice(first, Math.ceil(max) + 2).flatMap((value, index) => {
      return value === null ? [] : [[this.plot.valToPos(first + index, 'x'), this.plot.valToPos(value, 'y')] as const]
    })
    context.strokeStyle = style.colour
    context.lineWidth = style.width + WIDER
    context.lineJoin = 'round'
    context.beginPath()
    for (const [left, top] of points) context.lineTo(left, top)
    context.stroke()
    this.#drawDot(context, style.colour, values)
  }

  #drawDot(context: CanvasRenderingContext2D, colour: string, values: DrawnLine['values']): void {
    const at = this.plot.cursor.idx
    const value = typeof at === 'number' ? values[at] : undefined
    if (typeof at !== 'number' || typeof value !== 'number') return
    context.fillStyle = colour
    context.beginPath()
    context.arc(this.plot.valToPos(at, 'x'), this.plot.valToPos(value, 'y'), DOT, 0, 2 * Math.PI)
    context.fill()
  }
}
