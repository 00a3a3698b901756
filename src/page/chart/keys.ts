/** Keyboard control of the chart. */

import type { Chart } from './chart.js'

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

/** @param host the element that takes the keyboard focus */
export function addKeys(host: HTMLElement, target: KeyTarget): void {
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
