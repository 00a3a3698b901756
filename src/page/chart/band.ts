/** Draws the spread of the runs of a line as a band behind it. */

import type { RunSpread } from '../model/series.js'
import type { Projection } from './layer.js'

/** With more lines than this, their bands cover each other. */
export const MAX_BANDS = 12

const OPACITY = 0.18
/** Half the width in pixels of the band of a commit whose neighbours have none. */
const LONE_PX = 3

export function drawBand(context: CanvasRenderingContext2D, spread: RunSpread, colour: string, view: Projection): void {
  context.save()
  context.globalAlpha = OPACITY
  context.fillStyle = colour
  // One commit beyond each edge, so that the band reaches the edge.
  const last = Math.min(spread.low.length - 1, view.span.last + 1)
  let stretch: Edge[] = []
  for (let at = Math.max(0, view.span.first - 1); at <= last; at++) {
    const [low, high] = [spread.low[at] ?? null, spread.high[at] ?? null]
    if (low !== null && high !== null) stretch.push({ left: view.left(at), top: view.top(high), bottom: view.top(low) })
    else stretch = fillStretch(context, stretch)
  }
  fillStretch(context, stretch)
  context.restore()
}

type Edge = { readonly left: number; readonly top: number; readonly bottom: number }

/** Fills the band over consecutive commits. @returns an empty stretch */
function fillStretch(context: CanvasRenderingContext2D, stretch: readonly Edge[]): Edge[] {
  const [first] = stretch
  if (first !== undefined && stretch.length === 1)
    context.fillRect(first.left - LONE_PX, first.top, 2 * LONE_PX, first.bottom - first.top)
  if (stretch.length > 1) {
    context.beginPath()
    for (const { left, top } of stretch) context.lineTo(left, top)
    for (const { left, bottom } of stretch.toReversed()) context.lineTo(left, bottom)
    context.fill()
  }
  return []
}
