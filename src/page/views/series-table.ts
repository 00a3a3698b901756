/** The table below the chart. It is the chart's legend and shows the values at the selected commit. */

import { element, part } from '../element.js'
import { formatChange, formatCount, formatValue, type Unit } from '../format.js'
import { swatch } from '../chart/card.js'
import type { DrawnLine } from '../chart/options.js'
import { extremesAt, valueAt, valueBefore, type Extremes } from '../model/compare.js'
import type { Better } from '../model/measure.js'
import { Slices } from '../slices.js'

export type SeriesTableOptions = {
  readonly onHide: (hidden: readonly string[]) => void
  readonly onPoint: (line: DrawnLine | undefined) => void
}

export type Shown = {
  readonly lines: readonly DrawnLine[]
  readonly hidden: ReadonlySet<string>
  readonly unit: Unit
  readonly better: Better
  /** The unit of the lines' `beside`, or undefined when they have none. */
  readonly besideUnit: Unit | undefined
}

type At = Extremes & { readonly at: number; readonly exactly: boolean }

type Row = {
  readonly line: DrawnLine
  readonly element: HTMLElement
  readonly box: HTMLInputElement
  readonly bar: HTMLElement
  readonly cells: readonly [value: HTMLElement, beside: HTMLElement, change: HTMLElement, best: HTMLElement]
}

/** Smaller relative changes count as noise and get no colour. */
const WORTH_A_COLOUR = 0.02

/** Number of rows that are created or updated per frame. */
const A_FRAME = 30

export class SeriesTable {
  readonly #body = part('series-rows')
  readonly #known = new WeakMap<DrawnLine, Row>()
  readonly #rowOf = new WeakMap<Element, Row>()
  readonly #filling = new Slices()
  readonly #writing = new Slices()
  #shown: Shown = { lines: [], hidden: new Set(), unit: 'ns', better: 'lower', besideUnit: undefined }
  #rows: Row[] = []
  #at: At = { at: 0, exactly: false, best: undefined, greatest: undefined }
  /** Rows in or near the viewport. While the pointer moves, only these are updated, because there may be hundreds of rows. */
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

  /** @param shown lines that are the same objects as before keep their rows */
  show(shown: Shown): void {
    const { lines, hidden } = shown
    const before = this.#shown.lines
    this.#shown = shown
    part('series').classList.toggle('with-beside', shown.besideUnit !== undefined)
    setText(part('series-beside'), shown.besideUnit === 'ratio' ? 'ratio' : 'size')
    for (const row of this.#rows) row.box.checked = !hidden.has(row.line.id)
    if (lines.length !== before.length || lines.some((line, index) => line !== before[index]))
      this.#filling.begin(this.#filled())
    const drawn = lines.filter(({ id }) => !hidden.has(id)).length
    setText(part('series-count'), `${formatCount(drawn)} of ${formatCount(lines.length)} lines drawn`)
  }

  /** @param exactly false falls back to the last value before the commit */
  showAt(at: number, heading: string, exactly: boolean): void {
    setText(part('series-at'), heading)
    const { hidden, lines, better } = this.#shown
    const drawn = lines.filter(({ id }) => !hidden.has(id))
    this.#at = { at, exactly, ...extremesAt(drawn, { at, exactly, better }) }
    this.#writing.begin(this.#written())
  }

  *#filled(): Generator<undefined> {
    this.#watching.disconnect()
    this.#inSight.clear()
    this.#rows = []
    this.#body.replaceChildren()
    for (let from = 0; from < this.#shown.lines.length; from += A_FRAME) {
      if (from > 0) yield
      const rows = this.#shown.lines.slice(from, from + A_FRAME).map(line => this.#rowFor(line))
      this.#rows.push(...rows)
      this.#body.append(...rows.map(({ element }) => element))
      for (const { element } of rows) this.#watching.observe(element)
    }
  }

  *#written(): Generator<undefined> {
    for (const row of this.#inSight) this.#write(row)
    // When the pointer has left, all rows are updated, because screen readers, for example, reach rows without scrolling.
    for (let from = 0; !this.#at.exactly && from < this.#rows.length; from += A_FRAME) {
      if (from > 0) yield
      for (const row of this.#rows.slice(from, from + A_FRAME)) this.#write(row)
    }
  }

  #seen(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const row = this.#rowOf.get(target)
      if (row === undefined) continue
      if (!isIntersecting) this.#inSight.delete(row)
      else {
        this.#inSight.add(row)
        this.#write(row)
      }
    }
  }

  #write({ line, bar, cells: [valueCell, besideCell, changeCell, bestCell] }: Row): void {
    const { at, exactly, best, greatest } = this.#at
    const { unit, besideUnit, better } = this.#shown
    const value = valueAt(line.values, at, exactly)
    const before = valueBefore(line.values, at, exactly)
    const beside = valueAt(line.beside ?? [], at, exactly)
    setText(valueCell, value === undefined ? '–' : formatValue(value, unit))
    setText(besideCell, beside === undefined || besideUnit === undefined ? '–' : formatValue(beside, besideUnit))
    const change = value !== undefined && before !== undefined && before > 0 ? value / before : undefined
    showChange(changeCell, change, better)
    bar.style.width = `${value === undefined || greatest === undefined ? 0 : Math.max(0, (100 * value) / greatest)}%`
    setText(bestCell, value === undefined || best === undefined ? '–' : `${(value / best).toFixed(2)}\u00a0×`)
  }

  /** The row of a line, reused when there is one, with its checkbox and numbers brought up to date. */
  #rowFor(line: DrawnLine): Row {
    const row = this.#known.get(line) ?? rowOf(line)
    this.#known.set(line, row)
    this.#rowOf.set(row.element, row)
    row.box.checked = !this.#shown.hidden.has(line.id)
    this.#write(row)
    return row
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
    const element = (target as Element | null)?.closest('tr')
    return element ? this.#rowOf.get(element)?.line : undefined
  }
}

// A table that is laid out as a grid loses its table semantics for screen readers, so the roles are set explicitly.
function rowOf(line: DrawnLine): Row {
  const [box, bar] = [element('input', { type: 'checkbox' }), barOf(line)]
  const cells = [numberCell(), numberCell('number beside'), numberCell(), numberCell()] as const
  const label = element('label', {}, box, swatch(line), element('span', {}, line.name))
  const row = element(
    'tr',
    { role: 'row' },
    element('th', { scope: 'row', role: 'rowheader' }, label),
    element('td', { class: 'bar', 'aria-hidden': 'true' }, bar),
    ...cells,
  )
  return { line, element: row, box, bar, cells }
}

/** A bar whose length shows the value relative to the greatest one. */
function barOf({ style }: DrawnLine): HTMLElement {
  const bar = element('div')
  bar.style.background = style.colour
  return bar
}

function numberCell(name = 'number'): HTMLElement {
  return element('td', { class: name, role: 'cell' })
}

/** Sets the text only when it changes, because writing the same text would cost a layout. */
function setText(cell: HTMLElement, text: string): void {
  if (cell.textContent !== text) cell.textContent = text
}

function showChange(cell: HTMLElement, change: number | undefined, better: Better): void {
  const isNotable = change !== undefined && Math.abs(change - 1) >= WORTH_A_COLOUR
  const isBetter = isNotable && change < 1 === (better === 'lower')
  const kind = !isNotable ? '' : isBetter ? ' better' : ' worse'
  const mark = !isNotable ? '' : change < 1 ? '▼ ' : '▲ '
  setText(cell, change === undefined ? '–' : `${mark}${formatChange(change)}`)
  const name = `number${kind}`
  if (cell.className !== name) cell.className = name
}
