/** A click, as a hand makes it. */

/** A hand moves a little while it clicks. */
const CLICK_ROOM = 4

/** Calls for a click that was not the end of a drag. */
export function onStillClick(host: HTMLElement, onClick: () => void): void {
  let from = 0
  host.addEventListener('pointerdown', ({ clientX }) => (from = clientX))
  host.addEventListener('click', ({ clientX }) => Math.abs(clientX - from) < CLICK_ROOM && onClick())
}
