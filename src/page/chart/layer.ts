/** A canvas over the plot. It covers the plot area plus a margin for dots at its edge. */

import type uPlot from 'uplot'
import type { Scale } from '../address.js'
import type { Span } from './chart-options.js'

/** Margin in pixels. Must match chart.css. */
const ROOM = 8

export class Layer {
  readonly #canvas = document.createElement('canvas')
  readonly context = this.#canvas.getContext('2d')!

  constructor(
    private readonly plot: uPlot,
    name: 'sketch' | 'lines' | 'overlay',
  ) {
    this.#canvas.className = `layer ${name}`
    plot.over.append(this.#canvas)
  }

  /** Clears the canvas and fits it to the plot. The backing store has device pixels; drawing uses CSS pixels. */
  clear(): void {
    // Sizes come from uPlot, because reading them from the DOM would force a layout.
    const { width, height } = this.plot.bbox
    const room = ROOM * devicePixelRatio
    fit(this.#canvas, width + 2 * room, height + 2 * room)
    this.context.setTransform(1, 0, 0, 1, 0, 0)
    this.context.clearRect(0, 0, this.#canvas.width, this.#canvas.height)
    this.context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, room, room)
  }

  /** Runs `draw` clipped to the plot area. */
  clipped(draw: (context: CanvasRenderingContext2D) => void): void {
    drawClipped(this.context, this.plot, draw)
  }
}

/** Runs `draw` clipped to the plot area, whose corner is the origin of the context. */
export function drawClipped(
  context: CanvasRenderingContext2D,
  { bbox: { width, height } }: uPlot,
  draw: (context: CanvasRenderingContext2D) => void,
): void {
  context.save()
  context.beginPath()
  context.rect(-1, -1, width / devicePixelRatio + 2, height / devicePixelRatio + 2)
  context.clip()
  draw(context)
  context.restore()
}

/** Sets the size only when it changes, because setting it reallocates the canvas even when the size is the same. */
function fit(canvas: HTMLCanvasElement, wantedWidth: number, wantedHeight: number): void {
  const [width, height] = [Math.round(wantedWidth), Math.round(wantedHeight)]
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
}

/** Converts a commit's index and a value to a position on a layer, in CSS pixels. */
export type Projection = {
  readonly left: (at: number) => number
  readonly top: (value: number) => number
  /** The visible commits. */
  readonly span: Span
  readonly width: number
}

/** Precomputes the conversion for many points, because uPlot's own one looks up its scales for each point. */
export function createProjection({ scales, bbox, data }: uPlot, scale: Scale): Projection {
  const { min = 0, max = 1 } = scales['x'] ?? {}
  const { min: least = 0, max: greatest = 1 } = scales['y'] ?? {}
  const [width, height] = [bbox.width / devicePixelRatio, bbox.height / devicePixelRatio]
  const rank = scale === 'log' ? Math.log10 : Number
  const bottom = rank(least)
  const unit = height / (rank(greatest) - bottom)
  return {
    left: at => ((at - min) / (max - min)) * width,
    top: value => height - (rank(value) - bottom) * unit,
    span: { first: Math.max(0, Math.ceil(min)), last: Math.min(data[0].length - 1, Math.floor(max)) },
    width,
  }
}
