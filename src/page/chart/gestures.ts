/** Control of the chart by touch, trackpad, click and keyboard. */

import { positionAt, zoomRange, type VisibleRange, moveRange } from '../model/visible-range.js'
import type { Chart } from './chart.js'

/** The state of the chart when two fingers were put down. */
type Pinch = {
  readonly range: VisibleRange
  /** Position between the two fingers, in commits. */
  readonly position: number
  readonly apart: number
}

/** Lets one finger move the cursor sideways. Vertical movement scrolls the page as usual. */
export function addTouchCursor(host: HTMLElement, chart: () => Chart | undefined, onPoint: (at: number) => void): void {
  // After a gesture with two fingers, the remaining finger must not move the cursor.
  let alone = true
  host.addEventListener('touchstart', ({ touches }) => (alone = touches.length === 1))
  host.addEventListener('pointermove', ({ pointerType, clientX }) => {
    const shown = chart()
    if (shown === undefined || pointerType !== 'touch' || !alone) return
    const { first, last } = shown.span
    onPoint(Math.round(positionAt({ min: first, max: last }, shareAt(shown, clientX))))
  })
}

/** Zooms so that the same commits stay under both fingers. The page itself neither scrolls nor zooms. */
export function addPinchZoom(host: HTMLElement, chart: () => Chart | undefined): void {
  let pinch: Pinch | undefined
  const onTouch = (event: TouchEvent): void => {
    const shown = chart()
    const pair = touchPair(event)
    if (pair === undefined || shown === undefined) {
      if (pinch !== undefined) shown?.settle()
      pinch = undefined
      return
    }
    event.preventDefault()
    if (pinch === undefined) shown.pointAway()
    pinch ??= { range: shown.range, position: positionAt(shown.range, shareAt(shown, pair.middle)), apart: pair.apart }
    const hold = { position: pinch.position, share: shareAt(shown, pair.middle), end: shown.end }
    shown.move(zoomRange(pinch.range, pinch.apart / pair.apart, hold))
  }
  for (const event of ['touchstart', 'touchmove', 'touchend', 'touchcancel'] as const)
    host.addEventListener(event, onTouch, { passive: false })
}

type Pair = { readonly middle: number; readonly apart: number }

function touchPair({ touches }: TouchEvent): Pair | undefined {
  const [one, other] = touches
  if (one === undefined || other === undefined || touches.length > 2) return undefined
  const [across, along] = [other.clientX - one.clientX, other.clientY - one.clientY]
  return { middle: one.clientX + across / 2, apart: Math.max(1, Math.hypot(across, along)) }
}

/** Horizontal position as a share of the plot area: 0 at its left edge, 1 at its right edge. */
function shareAt({ area }: Chart, clientX: number): number {
  const { left, width } = area.getBoundingClientRect()
  return Math.min(1, Math.max(0, (clientX - left) / width))
}

/** Time without events after which a gesture counts as finished, because browsers do not report its end. */
const REST_MS = 150
/** Limit per event, because one notch of a mouse wheel is larger than any step of a trackpad. */
const MAX_PX = 50
const FOLDS_PER_PX = 0.01
const LINE_PX = 16

/** Zooms by pinching on a trackpad and moves by swiping sideways. Vertical scrolling is left to the page. */
export function addTrackpad(host: HTMLElement, chart: () => Chart | undefined): void {
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
  const px = Math.max(-MAX_PX, Math.min(MAX_PX, pixels(event.deltaY, event)))
  const hold = { position: positionAt(chart.range, share), share, end: chart.end }
  chart.move(zoomRange(chart.range, Math.exp(px * FOLDS_PER_PX), hold))
  return true
}

/** @returns false when the movement is not sideways or all commits are visible */
function move(event: WheelEvent, chart: Chart): boolean {
  const { min, max } = chart.range
  if (Math.abs(event.deltaX) <= Math.abs(event.deltaY) || max - min >= chart.end) return false
  const share = pixels(event.deltaX, event) / chart.area.clientWidth
  chart.move(moveRange(chart.range, share * (max - min), chart.end))
  return true
}

function pixels(delta: number, { deltaMode }: WheelEvent): number {
  return deltaMode === WheelEvent.DOM_DELTA_LINE ? delta * LINE_PX : delta
}

export type KeyTarget = {
  readonly chart: () => Chart | undefined
  /** The commit under the cursor. */
  readonly at: () => number | undefined
  readonly onPoint: (at: number) => void
  readonly onEnter: (at: number) => void
  readonly onEscape: () => void
}

const STRIDE = 10
const CLOSER = 0.5

/** Controls the chart with keys. @param host the element that takes the keyboard focus */
export function addKeyboard(host: HTMLElement, target: KeyTarget): void {
  host.addEventListener('keydown', event => {
    const chart = target.chart()
    if (chart === undefined || event.ctrlKey || event.metaKey || event.altKey || event.target !== host) return
    if (react(event, chart, target)) event.preventDefault()
  })
}

/** @returns whether the key was handled */
function react({ key, shiftKey }: KeyboardEvent, chart: Chart, target: KeyTarget): boolean {
  const { first, last } = chart.span
  const at = target.at()
  const step = shiftKey ? STRIDE : 1
  const move = (to: number): void => target.onPoint(Math.min(last, Math.max(first, to)))
  const actions: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => move((at ?? last + 1) - step),
    ArrowRight: () => move((at ?? first - 1) + step),
    Home: () => move(first),
    End: () => move(last),
    '+': () => chart.zoom(CLOSER, at),
    '=': () => chart.zoom(CLOSER, at),
    '-': () => chart.zoom(1 / CLOSER, at),
    '0': () => chart.showAll(at),
    Enter: () => at !== undefined && target.onEnter(at),
    Escape: () => target.onEscape(),
  }
  const action = actions[key]
  action?.()
  return action !== undefined
}
