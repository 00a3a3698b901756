/** The table below the chart: its legend, and the numbers of the commit that is pointed at. */

import { element, part } from '../element.js'
import { formatChange, formatCount, formatValue, type Unit } from '../format.js'
import { swatch } from '../chart/card.js'
import type { DrawnLine } from '../chart/options.js'
import { extremesAt, valueAt, valueBefore } from '../model/compare.js'

export type SeriesTableOptions = {
  readonly onHide: (hidden: readonly string[]) => void
  readonly onPoint: (line: DrawnLine | undefined) => void
}

export type Shown = {
  readonly lines: readonly DrawnLine[]
  readonly hidden: ReadonlySet<string>
  readonly unit: Unit
}

type At = {
  readonly at: number
  readonly exactly: boolean
  readonly best: number | undefined
  readonly worst: number | undefined
}

type Row = {
  readonly line: DrawnLine
  readonly bar: HTMLElement
  readonly cells: readonly [HTMLElement, HTMLElement, HTMLElement]
}

/** Less than this is noise. */
const WORTH_A_COLOUR = 0.02

export class SeriesTable {
  readonly #body = part('series-rows')
  #shown: Shown = { lines: [], hidden: new Set(), unit: 'ns' }
  #rows: readonly Row[] = []
  #at: At = { at: 0, exactly: false, best: undefined, worst: undefined }
  /** While the pointer moves, numbers are written where they are seen: hundreds of rows may be far below. */
  readonly #inSight = new Set<Row>()
  readonly #watching = new IntersectionObserver(entries => this.#seen(entries), { rootMargin: '200px' })

  constructor(private readonly options: SeriesTableOptions) {
    this.#body.addEventListener('change', ({ target }) => this.#toggle(target as HTMLInputElement))
    this.#body.addEventListener('pointerover', ({ target }) => options.onPoint(this.#lineAt(target)))
    this.#body.addEventListener('focusin', ({ target }) => options.onPoint(this.#lineAt(target)))
    for (const event of ['pointerleave', 'focusout'])
      this.#body.addEventListener(event, () => options.onPoint(undefined))
    part('show-all').addEventListener('click', () => options.onHide([]))
    part('hide-all').addEventListener('click', () => options.onHide(this.#shown.lines.map(({ id }) => id)))
  }

  show(shown: Shown): void {
    this.#shown = shown
    this.#watching.disconnect()
    this.#inSight.clear()
    this.#rows = shown.lines.map(line => ({
      line,
      bar: barOf(line),
      cells: [numberCell(), numberCell(), numberCell()],
    }))
    const rows = this.#rows.map((row, index) => this.#row(row, index))
    this.#body.replaceChildren(...rows)
    for (const row of rows) this.#watching.observe(row)
    const drawn = shown.lines.filter(({ id }) => !shown.hidden.has(id)).length
    part('series-count').textContent = `${formatCount(drawn)} of ${formatCount(shown.lines.length)} lines drawn`
  }

  /** @param exactly whether older values do not count */
  showAt(at: number, heading: string, exactly: boolean): void {
    setText(part('series-at'), heading)
    const { hidden, lines } = this.#shown
    const drawn = lines.filter(({ id }) => !hidden.has(id))
    this.#at = { at, exactly, ...extremesAt(drawn, at, exactly) }
    // At rest all of it is right, for who reads on without scrolling.
    for (const row of exactly ? this.#inSight : this.#rows) this.#write(row)
  }

  #seen(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const row = this.#rowAt(target)
      if (row === undefined) continue
      if (!isIntersecting) this.#inSight.delete(row)
      else {
        this.#inSight.add(row)
        this.#write(row)
      }
    }
  }

  #write({ line, bar, cells }: Row): void {
    const { at, exactly, best, worst } = this.#at
    const value = valueAt(line.values, at, exactly)
    const before = valueBefore(line.values, at, exactly)
    setText(cells[0], value === undefined ? '–' : formatValue(value, this.#shown.unit))
    showChange(cells[1], value !== undefined && before !== undefined && before > 0 ? value / before : undefined)
    bar.style.width = `${value === undefined || worst === undefined ? 0 : Math.max(0, (100 * value) / worst)}%`
    setText(cells[2], value === undefined || best === undefined ? '–' : `${(value / best).toFixed(2)}\u00a0×`)
  }

  #row({ line, bar, cells }: Row, index: number): HTMLElement {
    const { hidden } = this.#shown
    const box = element('input', { type: 'checkbox', id: `line-${index}`, checked: !hidden.has(line.id) })
    const label = element('label', { for: `line-${index}` }, box, swatch(line), element('span', {}, line.name))
    return element(
      'tr',
      { 'data-row': index },
      element('th', { scope: 'row' }, label),
      element('td', { class: 'bar', 'aria-hidden': 'true' }, bar),
      ...cells,
    )
  }

  #toggle(box: HTMLInputElement): void {
    const line = this.#lineAt(box)
    if (line === undefined) return
    const hidden = new Set(this.#shown.hidden)
    if (box.checked) hidden.delete(line.id)
    else hidden.add(line.id)
    this.options.onHide([...hidden])
  }

  #lineAt(target: EventTarget | null): DrawnLine | undefined {
    return this.#rowAt(target)?.line
  }

  #rowAt(target: EventTarget | null): Row | undefined {
    const row = (target as Element | null)?.closest<HTMLElement>('tr')
    return row === null || row === undefined ? undefined : this.#rows[Number(row.dataset['row'])]
  }
}

/** As long as its value is high, beside the highest. */
function barOf({ style }: DrawnLine): HTMLElement {
  const bar = element('div')
  bar.style.background = style.colour
  return bar
}

function numberCell(): HTMLElement {
  return element('td', { class: 'number' })
}

/** Writing what stands there already would cost a layout. */
function setText(cell: HTMLElement, text: string): void {
  if (cell.textContent !== text) cell.textContent = text
}

/** Less is better in every unit there is. */
function showChange(cell: HTMLElement, change: number | undefined): void {
  const kind = change === undefined || Math.abs(change - 1) < WORTH_A_COLOUR ? '' : change < 1 ? ' better' : ' worse'
  const mark = kind === '' ? '' : change! < 1 ? '▼ ' : '▲ '
  setText(cell, change === undefined ? '–' : `${mark}${formatChange(change)}`)
  const name = `number${kind}`
  if (cell.className !== name) cell.className = name
}
