/** A canvas over the plot: as large as the lines' area, with some room around it for dots at its edge. */

import type uPlot from 'uplot'

/** As in chart.css. */
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

  /** Empty, as large as what it lies over, in the screen's own pixels, and measured in those of the window. */
  clear(): void {
    // The window's layout is not asked: it would be made anew for the answer.
    const { width, height } = this.plot.bbox
    const room = ROOM * devicePixelRatio
    fit(this.#canvas, width + 2 * room, height + 2 * room)
    this.context.setTransform(1, 0, 0, 1, 0, 0)
    this.context.clearRect(0, 0, this.#canvas.width, this.#canvas.height)
    this.context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, room, room)
  }

  /** What `draw` does is seen in the lines' area only. */
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

/** Set, even to what it was, a canvas is made anew. */
function fit(canvas: HTMLCanvasElement, wantedWidth: number, wantedHeight: number): void {
  const [width, height] = [Math.round(wantedWidth), Math.round(wantedHeight)]
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
}
