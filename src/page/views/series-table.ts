/** The table below the chart. It is the chart's legend and shows the values at the selected commit. */

import { element, pageElement } from '../element.js'
import { formatChange, formatCount, formatValue, type Unit } from '../format.js'
import { createSwatch } from '../chart/card.js'
import type { DrawnSeries } from '../chart/chart-options.js'
import { extremesAt, valueAt, valueBefore, type Extremes } from '../model/values.js'
import type { Better } from '../model/measure.js'
import { FrameScheduler } from '../frame-scheduler.js'

export type SeriesTableOptions = {
  readonly onHide: (hidden: readonly string[]) => void
  readonly onPoint: (one: DrawnSeries | undefined) => void
}

export type Shown = {
  readonly series: readonly DrawnSeries[]
  readonly hidden: ReadonlySet<string>
  readonly unit: Unit
  readonly better: Better
  /** The unit of the series' `beside`, or undefined when they have none. */
  readonly besideUnit: Unit | undefined
}

type At = Extremes & { readonly at: number; readonly exactly: boolean }

type Row = {
  readonly series: DrawnSeries
  readonly element: HTMLElement
  readonly box: HTMLInputElement
  readonly bar: HTMLElement
  readonly cells: readonly [value: HTMLElement, beside: HTMLElement, change: HTMLElement, best: HTMLElement]
}

/** Heading of the column with the other measure. */
const BESIDE: Readonly<Record<Unit, string>> = { ns: 'time', bytes: 'size', ratio: 'ratio' }

/** Smaller relative changes count as noise and get no colour. */
const WORTH_A_COLOUR = 0.02

/** Number of rows that are created or updated per frame. */
const A_FRAME = 30

export class SeriesTable {
  readonly #body = pageElement('series-rows')
  readonly #known = new WeakMap<DrawnSeries, Row>()
  readonly #rowByElement = new WeakMap<Element, Row>()
  readonly #filling = new FrameScheduler()
  readonly #writing = new FrameScheduler()
  #shown: Shown = { series: [], hidden: new Set(), unit: 'ns', better: 'lower', besideUnit: undefined }
  #rows: Row[] = []
  #at: At = { at: 0, exactly: false, best: undefined, greatest: undefined }
  /** Rows in or near the viewport. While the pointer moves, only these are updated, because there may be hundreds of rows. */
  readonly #visible = new Set<Row>()
  readonly #watching = new IntersectionObserver(entries => this.#updateVisible(entries), { rootMargin: '200px' })

  constructor(private readonly options: SeriesTableOptions) {
    this.#body.addEventListener('change', ({ target }) => this.#toggle(target as HTMLInputElement))
    this.#body.addEventListener('pointerover', ({ target }) => options.onPoint(this.#seriesAt(target)))
    this.#body.addEventListener('focusin', ({ target }) => options.onPoint(this.#seriesAt(target)))
    for (const event of ['pointerleave', 'focusout'])
      this.#body.addEventListener(event, () => options.onPoint(undefined))
    pageElement('show-all').addEventListener('click', () => options.onHide([]))
    pageElement('hide-all').addEventListener('click', () => options.onHide(this.#shown.series.map(({ id }) => id)))
  }

  /** @param shown series that are the same objects as before keep their rows */
  show(shown: Shown): void {
    const { series, hidden } = shown
    const before = this.#shown.series
    this.#shown = shown
    pageElement('series').classList.toggle('with-beside', shown.besideUnit !== undefined)
    setText(pageElement('series-beside'), BESIDE[shown.besideUnit ?? 'ratio'])
    for (const row of this.#rows) row.box.checked = !hidden.has(row.series.id)
    if (series.length !== before.length || series.some((one, index) => one !== before[index]))
      this.#filling.begin(this.#filled())
    const drawn = series.filter(({ id }) => !hidden.has(id)).length
    setText(pageElement('series-count'), `${formatCount(drawn)} of ${formatCount(series.length)} series drawn`)
  }

  /** @param exactly false falls back to the last value before the commit */
  showAt(at: number, heading: string, exactly: boolean): void {
    setText(pageElement('series-at'), heading)
    const { hidden, series, better } = this.#shown
    const drawn = series.filter(({ id }) => !hidden.has(id))
    this.#at = { at, exactly, ...extremesAt(drawn, { at, exactly, better }) }
    this.#writing.begin(this.#written())
  }

  *#filled(): Generator<undefined> {
    this.#watching.disconnect()
    this.#visible.clear()
    this.#rows = []
    this.#body.replaceChildren()
    for (let from = 0; from < this.#shown.series.length; from += A_FRAME) {
      if (from > 0) yield
      const rows = this.#shown.series.slice(from, from + A_FRAME).map(one => this.#rowFor(one))
      this.#rows.push(...rows)
      this.#body.append(...rows.map(({ element }) => element))
      for (const { element } of rows) this.#watching.observe(element)
    }
  }

  *#written(): Generator<undefined> {
    for (const row of this.#visible) this.#write(row)
    // When the pointer has left, all rows are updated, because screen readers, for example, reach rows without scrolling.
    for (let from = 0; !this.#at.exactly && from < this.#rows.length; from += A_FRAME) {
      if (from > 0) yield
      for (const row of this.#rows.slice(from, from + A_FRAME)) this.#write(row)
    }
  }

  #updateVisible(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const row = this.#rowByElement.get(target)
      if (row === undefined) continue
      if (!isIntersecting) this.#visible.delete(row)
      else {
        this.#visible.add(row)
        this.#write(row)
      }
    }
  }

  #write({ series, bar, cells: [valueCell, besideCell, changeCell, bestCell] }: Row): void {
    const { at, exactly, best, greatest } = this.#at
    const { unit, besideUnit, better } = this.#shown
    const value = valueAt(series.values, at, exactly)
    const before = valueBefore(series.values, at, exactly)
    const beside = valueAt(series.beside ?? [], at, exactly)
    setText(valueCell, value === undefined ? '–' : formatValue(value, unit))
    setText(besideCell, beside === undefined || besideUnit === undefined ? '–' : formatValue(beside, besideUnit))
    const change = value !== undefined && before !== undefined && before > 0 ? value / before : undefined
    showChange(changeCell, change, better)
    bar.style.width = `${value === undefined || greatest === undefined ? 0 : Math.max(0, (100 * value) / greatest)}%`
    setText(bestCell, value === undefined || best === undefined ? '–' : `${(value / best).toFixed(2)}\u00a0×`)
  }

  /** The row of a series, reused when there is one, with its checkbox and numbers brought up to date. */
  #rowFor(one: DrawnSeries): Row {
    const row = this.#known.get(one) ?? createRow(one)
    this.#known.set(one, row)
    this.#rowByElement.set(row.element, row)
    row.box.checked = !this.#shown.hidden.has(one.id)
    this.#write(row)
    return row
  }

  #toggle(box: HTMLInputElement): void {
    const one = this.#seriesAt(box)
    if (one === undefined) return
    const hidden = new Set(this.#shown.hidden)
    if (box.checked) hidden.delete(one.id)
    else hidden.add(one.id)
    this.options.onHide([...hidden])
  }

  #seriesAt(target: EventTarget | null): DrawnSeries | undefined {
    const element = (target as Element | null)?.closest('tr')
    return element ? this.#rowByElement.get(element)?.series : undefined
  }
}

// A table that is laid out as a grid loses its table semantics for screen readers, so the roles are set explicitly.
function createRow(series: DrawnSeries): Row {
  const [box, bar] = [element('input', { type: 'checkbox' }), createBar(series)]
  const cells = [numberCell(), numberCell('number beside'), numberCell(), numberCell()] as const
  const label = element('label', {}, box, createSwatch(series), element('span', {}, series.name))
  const row = element(
    'tr',
    { role: 'row' },
    element('th', { scope: 'row', role: 'rowheader' }, label),
    element('td', { class: 'bar', 'aria-hidden': 'true' }, bar),
    ...cells,
  )
  return { series, element: row, box, bar, cells }
}

/** A bar whose length shows the value relative to the greatest one. */
function createBar({ style }: DrawnSeries): HTMLElement {
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
