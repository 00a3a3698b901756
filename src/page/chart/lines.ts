/** Draws the lines of a chart. Many lines are drawn over several frames; a coarse sketch is shown until they are complete. */

import type uPlot from 'uplot'
import type { Scale } from '../address.js'
import { Slices } from '../slices.js'
import { Layer } from './layer.js'
import type { DrawnLine } from './options.js'
import { placeOn, type Place } from './place.js'
import { drawDots, effort, strokeLine } from './stroke.js'

/** Work per frame that a slow computer without a graphics card manages, in the unit of `effort`. */
const A_FRAME = 35_000
const A_SKETCH = 15_000

export class Lines {
  readonly #sketch: Layer
  readonly #layer: Layer
  readonly #slices = new Slices()
  #lines: readonly DrawnLine[] = []

  constructor(
    private readonly plot: uPlot,
    private readonly scale: Scale,
  ) {
    this.#sketch = new Layer(plot, 'sketch')
    this.#layer = new Layer(plot, 'lines')
  }

  /** Sets the lines for the next `draw`. */
  set(lines: readonly DrawnLine[]): void {
    this.#lines = lines
  }

  /** Draws in the next frame, with the scales that the plot has then. */
  draw(): void {
    this.#slices.beginSoon(() => this.#parts())
  }

  stop(): void {
    this.#slices.stop()
  }

  *#parts(): Generator<undefined> {
    const lines = this.#lines
    const place = placeOn(this.plot, this.scale)
    const all = lines.reduce((sum, { style }) => sum + effort(style, place), 0)
    this.#sketch.clear()
    this.#layer.clear()
    if (all > A_FRAME) {
      for (const line of lines) drawLine(this.#sketch, line, place, Math.ceil(all / A_SKETCH))
      yield
    }
    let spent = 0
    for (const line of lines) {
      if (spent > A_FRAME) {
        yield
        spent = 0
      }
      drawLine(this.#layer, line, place, 1)
      spent += effort(line.style, place)
    }
    this.#sketch.clear()
  }
}

/** @param stride draws only every n-th commit; 1 draws all */
function drawLine(layer: Layer, { values, style }: DrawnLine, place: Place, stride: number): void {
  layer.clipped(context => strokeLine(context, { values, style, stride }, place))
  drawDots(layer.context, { values, style }, place)
}
