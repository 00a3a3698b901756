/** Trackpad gestures: pinching zooms the chart, swiping sideways moves it. */

import { moved, placeAt, zoomed } from '../model/reach.js'
import type { Chart } from './chart.js'
import { shareAt } from './fingers.js'

/** Time without events after which a gesture counts as finished, because browsers do not report its end. */
const REST_MS = 150
/** Limit per event, because one notch of a mouse wheel is larger than any step of a trackpad. */
const MOST_PX = 50
const FOLDS_PER_PX = 0.01
const LINE_PX = 16

/** Handles the wheel events of a chart. Vertical scrolling is left to the page. */
export function addWheel(host: HTMLElement, chart: () => Chart | undefined): void {
  let resting: ReturnType<typeof setTimeout> | undefined
  host.addEventListener(
    'wheel',
    event => {
      const shown = chart()
      // Browsers report a pinch on a trackpad as a wheel event with Ctrl.
      if (shown === undefined || !(event.ctrlKey ? zoom(event, shown) : move(event, shown))) return
      event.preventDefault()
      clearTimeout(resting)
      resting = setTimeout(() => chart()?.settle(), REST_MS)
    },
    { passive: false },
  )
}

function zoom(event: WheelEvent, chart: Chart): true {
  const share = shareAt(chart, event.clientX)
  const px = Math.max(-MOST_PX, Math.min(MOST_PX, pixels(event.deltaY, event)))
  const hold = { place: placeAt(chart.reach, share), share, end: chart.end }
  chart.move(zoomed(chart.reach, Math.exp(px * FOLDS_PER_PX), hold))
  return true
}

/** @returns false when the movement is not sideways or all commits are visible */
function move(event: WheelEvent, chart: Chart): boolean {
  const { min, max } = chart.reach
  if (Math.abs(event.deltaX) <= Math.abs(event.deltaY) || max - min >= chart.end) return false
  const share = pixels(event.deltaX, event) / chart.area.clientWidth
  chart.move(moved(chart.reach, share * (max - min), chart.end))
  return true
}

function pixels(delta: number, { deltaMode }: WheelEvent): number {
  return deltaMode === WheelEvent.DOM_DELTA_LINE ? delta * LINE_PX : delta
}
