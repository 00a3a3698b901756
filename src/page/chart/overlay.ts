/** A canvas over the lines for the highlighted line and the marked commit, so that the lines need not be redrawn. */

import type uPlot from 'uplot'
import type { Scale } from '../address.js'
import { Layer } from './layer.js'
import type { DrawnLine } from './options.js'
import { placeOn, type Place } from './place.js'
import { strokeLine } from './stroke.js'

const WIDER = 2
const DOT = 4

export class Overlay {
  readonly #layer: Layer
  #line: DrawnLine | undefined
  #at: number | undefined
  #marked: number | undefined

  constructor(
    private readonly plot: uPlot,
    private readonly scale: Scale,
  ) {
    this.#layer = new Layer(plot, 'overlay')
  }

  /** @param at the commit at which the line gets a dot */
  highlight(line: DrawnLine | undefined, at: number | undefined): void {
    if (line === this.#line && at === this.#at) return
    this.#line = line
    this.#at = at
    this.draw()
  }

  mark(at: number | undefined): void {
    this.#marked = at
    this.draw()
  }

  draw(): void {
    this.#layer.clear()
    const place = placeOn(this.plot, this.scale)
    if (this.#marked !== undefined) this.#drawMark(place.left(this.#marked))
    if (this.#line !== undefined) this.#drawLine(this.#line, place)
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

  #drawLine({ values, style }: DrawnLine, place: Place): void {
    const wider = { ...style, width: style.width + WIDER }
    this.#layer.clipped(context => strokeLine(context, { values, style: wider, stride: 1 }, place))
    const at = this.#at
    const value = at === undefined ? undefined : values[at]
    if (at === undefined || typeof value !== 'number') return
    const { context } = this.#layer
    context.fillStyle = style.colour
    context.beginPath()
    context.arc(place.left(at), place.top(value), DOT, 0, 2 * Math.PI)
    context.fill()
  }
}
