/** Creates DOM elements. The page uses no framework and never sets HTML from text. */

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>
export type Child = Node | string | undefined

const SVG = 'http://www.w3.org/2000/svg'

/** @param attributes `true` sets an attribute without a value; `false` and `undefined` omit it */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  return filled(document.createElement(tag), attributes, children)
}

export function svgElement<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  return filled(document.createElementNS(SVG, tag), attributes, children)
}

function filled<E extends Element>(made: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value))
  made.append(...children.filter(child => child !== undefined))
  return made
}

export function button(label: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, label)
  made.addEventListener('click', onClick)
  return made
}

/** The element of index.html with this id. @throws {Error} when there is none */
export function pageElement(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`index.html has no #${id}`)
  return found
}

/** A link to a URL from untrusted data. Only http and https URLs become links; others become plain text. */
export function webLink(url: string, text: string, attributes: Attributes = {}): HTMLElement {
  if (!/^https?:\/\//i.test(url)) return element('span', attributes, text)
  return element('a', { href: url, target: '_blank', rel: 'noopener noreferrer', ...attributes }, text)
}

export type Column<T> = {
  readonly heading: string
  readonly isNumber?: boolean
  readonly cell: (row: T) => Child
}

/** @param empty message to show when there are no rows */
export function createTable<T>(
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
