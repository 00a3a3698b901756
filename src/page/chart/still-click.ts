/** Detects clicks that are not the end of a drag. */

/** Pixels by which the pointer may move during a click, because a hand is never quite still. */
const CLICK_ROOM = 4

/** Calls `onClick` for a click during which the pointer hardly moved. */
export function onStillClick(host: HTMLElement, onClick: () => void): void {
  let from = 0
  host.addEventListener('pointerdown', ({ clientX }) => (from = clientX))
  host.addEventListener('click', ({ clientX }) => Math.abs(clientX - from) < CLICK_ROOM && onClick())
}
