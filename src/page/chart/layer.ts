/** A canvas over the plot. It covers the lines' area plus a margin for dots at its edge. */

import type uPlot from 'uplot'

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

  /** Runs `draw` clipped to the lines' area. */
  clipped(draw: (context: CanvasRenderingContext2D) => void): void {
    const { width, height } = this.plot.bbox
    this.context.save()
    this.context.beginPath()
    this.context.rect(-1, -1, width / devicePixelRatio + 2, height / devicePixelRatio + 2)
    this.context.clip()
    draw(this.context)
    this.context.restore()
  }
}

/** Sets the size only when it changes, because setting it reallocates the canvas even when the size is the same. */
function fit(canvas: HTMLCanvasElement, wantedWidth: number, wantedHeight: number): void {
  const [width, height] = [Math.round(wantedWidth), Math.round(wantedHeight)]
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
}
