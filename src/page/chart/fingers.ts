/** Touch gestures: one finger moves the cursor, two fingers zoom. */

import { placeAt, zoomed, type Reach } from '../model/reach.js'
import type { Chart } from './chart.js'

/** The state of the chart when two fingers were put down. */
type Pinch = {
  readonly reach: Reach
  /** Position between the two fingers, in commits. */
  readonly place: number
  readonly apart: number
}

/** Lets one finger move the cursor sideways. Vertical movement scrolls the page as usual. */
export function addFinger(host: HTMLElement, chart: () => Chart | undefined, onPoint: (at: number) => void): void {
  // After a gesture with two fingers, the remaining finger must not move the cursor.
  let alone = true
  host.addEventListener('touchstart', ({ touches }) => (alone = touches.length === 1))
  host.addEventListener('pointermove', ({ pointerType, clientX }) => {
    const shown = chart()
    if (shown === undefined || pointerType !== 'touch' || !alone) return
    const { first, last } = shown.span
    onPoint(Math.round(placeAt({ min: first, max: last }, shareAt(shown, clientX))))
  })
}

/** Zooms so that the same commits stay under both fingers. The page itself neither scrolls nor zooms. */
export function addPinch(host: HTMLElement, chart: () => Chart | undefined): void {
  let pinch: Pinch | undefined
  const onTouch = (event: TouchEvent): void => {
    const shown = chart()
    const pair = pairOf(event)
    if (pair === undefined || shown === undefined) {
      if (pinch !== undefined) shown?.settle()
      pinch = undefined
      return
    }
    event.preventDefault()
    if (pinch === undefined) shown.pointAway()
    pinch ??= { reach: shown.reach, place: placeAt(shown.reach, shareAt(shown, pair.middle)), apart: pair.apart }
    const hold = { place: pinch.place, share: shareAt(shown, pair.middle), end: shown.end }
    shown.move(zoomed(pinch.reach, pinch.apart / pair.apart, hold))
  }
  for (const event of ['touchstart', 'touchmove', 'touchend', 'touchcancel'] as const)
    host.addEventListener(event, onTouch, { passive: false })
}

type Pair = { readonly middle: number; readonly apart: number }

function pairOf({ touches }: TouchEvent): Pair | undefined {
  const [one, other] = touches
  if (one === undefined || other === undefined || touches.length > 2) return undefined
  const [across, along] = [other.clientX - one.clientX, other.clientY - one.clientY]
  return { middle: one.clientX + across / 2, apart: Math.max(1, Math.hypot(across, along)) }
}

/** Horizontal position as a share of the lines' area: 0 at its left edge, 1 at its right edge. */
export function shareAt({ area }: Chart, clientX: number): number {
  const { left, width } = area.getBoundingClientRect()
  return Math.min(1, Math.max(0, (clientX - left) / width))
}
