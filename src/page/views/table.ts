/** Tables of server responses. */

import { element, type Child } from '../element.js'

export type Column<T> = {
  readonly heading: string
  readonly isNumber?: boolean
  readonly cell: (row: T) => Child
}

/** @param empty message to show when there are no rows */
export function tableOf<T>(
  caption: string,
  columns: readonly Column<T>[],
  rows: readonly T[],
  empty: string,
): HTMLElement {
  if (rows.length === 0) return element('p', { class: 'quiet' }, empty)
  const classOf = ({ isNumber }: Column<T>): string | undefined => (isNumber === true ? 'number' : undefined)
  const headings = columns.map(column => element('th', { scope: 'col', class: classOf(column) }, column.heading))
  const body = rows.map(row =>
    element('tr', {}, ...columns.map(column => element('td', { class: classOf(column) }, column.cell(row)))),
  )
  const table = element(
    'table',
    { class: 'plain' },
    element('caption', { class: 'unseen' }, caption),
    element('thead', {}, element('tr', {}, ...headings)),
    element('tbody', {}, ...body),
  )
  // The table may be wider than a phone's screen, so it scrolls by itself, also by keyboard.
  return element('div', { class: 'scrolling', tabindex: 0, role: 'region', 'aria-label': caption }, table)
}
