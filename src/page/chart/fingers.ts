/** The chart by touch: one finger reads it, two zoom it. */

import { placeAt, zoomed, type Reach } from '../model/reach.js'
import type { Chart } from './chart.js'

/** Two fingers as they were put down. */
type Pinch = {
  readonly reach: Reach
  /** The place between them. */
  readonly place: number
  readonly apart: number
}

/** A finger that goes sideways moves the cursor; up and down it scrolls the page. */
export function addFinger(host: HTMLElement, chart: () => Chart | undefined, onPoint: (at: number) => void): void {
  // Until all are lifted: the one that is left of two does not read.
  let alone = true
  host.addEventListener('touchstart', ({ touches }) => (alone = touches.length === 1))
  host.addEventListener('pointermove', ({ pointerType, clientX }) => {
    const shown = chart()
    if (shown === undefined || pointerType !== 'touch' || !alone) return
    const { first, last } = shown.span
    onPoint(Math.round(placeAt({ min: first, max: last }, shareAt(shown, clientX))))
  })
}

/** What lies under two fingers stays under them; the page is neither scrolled nor zoomed. */
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

/** How far from the left edge of the lines to the right one. */
export function shareAt({ area }: Chart, clientX: number): number {
  const { left, width } = area.getBoundingClientRect()
  return Math.min(1, Math.max(0, (clientX - left) / width))
}
